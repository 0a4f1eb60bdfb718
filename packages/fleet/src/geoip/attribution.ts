/** Whom to credit for locations, wherever they are shown or given out: the databases' licenses ask for it. */

export interface Attribution {
  readonly text: string;
  /** To link to. */
  readonly url: string;
  readonly license: string;
}

/** For the city database that comes with the package, and for the centres of countries, which are made of it. */
export const DB_IP_ATTRIBUTION: Attribution = {
  text: "IP Geolocation by DB-IP",
  url: "https://db-ip.com",
  license: "CC-BY-4.0",
};

/** For the country database that comes with the package: itself CC0, made of registry data under CC BY. */
export const NRO_ATTRIBUTION: Attribution = {
  text: "Address registrations by the Number Resource Organization",
  url: "https://www.nro.net",
  license: "CC-BY-4.0",
};

const GEOLITE_ATTRIBUTION: Attribution = {
  text: "This product includes GeoLite Data created by MaxMind, available from https://www.maxmind.com",
  url: "https://www.maxmind.com",
  license: "GeoLite End User License Agreement",
};

/** By the type that a database says it has; `undefined`: an own one, or one that asks for nothing. */
export function attributionOfType(databaseType: string): Attribution | undefined {
  if (databaseType.startsWith("GeoLite")) return GEOLITE_ATTRIBUTION;
  return databaseType.startsWith("DBIP") ? DB_IP_ATTRIBUTION : undefined;
}
