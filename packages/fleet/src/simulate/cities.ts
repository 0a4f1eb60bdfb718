/** Where players live: large cities with their millions of people, and how many people of each country are online. Rounded. */
export interface City {
  readonly name: string;
  /** ISO 3166-1, two letters. */
  readonly country: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly millions: number;
}

const CITY_TABLE = `
beijing CN 39.9 116.4 21, shanghai CN 31.2 121.5 29, guangzhou CN 23.1 113.3 14, shenzhen CN 22.5 114.1 13,
chongqing CN 29.6 106.6 17, chengdu CN 30.7 104.1 16, wuhan CN 30.6 114.3 9, xian CN 34.3 108.9 9, hangzhou CN 30.3 120.2 8,
shenyang CN 41.8 123.4 7, zhengzhou CN 34.7 113.6 7, kunming CN 25.0 102.7 5, urumqi CN 43.8 87.6 4, harbin CN 45.8 126.5 5,
delhi IN 28.6 77.2 33, mumbai IN 19.1 72.9 21, kolkata IN 22.6 88.4 15, bangalore IN 13.0 77.6 13, chennai IN 13.1 80.3 11,
hyderabad IN 17.4 78.5 10, ahmedabad IN 23.0 72.6 8, pune IN 18.5 73.9 7, lucknow IN 26.8 80.9 4, patna IN 25.6 85.1 3,
new-york US 40.7 -74.0 19, los-angeles US 34.1 -118.2 13, chicago US 41.9 -87.6 9, dallas US 32.8 -96.8 8,
houston US 29.8 -95.4 7, ashburn US 39.0 -77.5 6, miami US 25.8 -80.2 6, philadelphia US 40.0 -75.2 6, atlanta US 33.7 -84.4 6,
boston US 42.4 -71.1 5, phoenix US 33.4 -112.1 5, san-francisco US 37.8 -122.4 7, seattle US 47.6 -122.3 4,
minneapolis US 45.0 -93.3 4, denver US 39.7 -105.0 3, st-louis US 38.6 -90.2 3, charlotte US 35.2 -80.8 3,
salt-lake-city US 40.8 -111.9 2, portland US 45.5 -122.7 2, kansas-city US 39.1 -94.6 2, detroit US 42.3 -83.0 4,
honolulu US 21.3 -157.9 1, toronto CA 43.7 -79.4 6, montreal CA 45.5 -73.6 4, vancouver CA 49.3 -123.1 3, calgary CA 51.0 -114.1 2,
mexico-city MX 19.4 -99.1 22, monterrey MX 25.7 -100.3 5, guadalajara MX 20.7 -103.3 5, sao-paulo BR -23.6 -46.6 22,
rio BR -22.9 -43.2 13, belo-horizonte BR -19.9 -43.9 6, brasilia BR -15.8 -47.9 5, fortaleza BR -3.7 -38.5 4,
recife BR -8.1 -34.9 4, porto-alegre BR -30.0 -51.2 4, salvador BR -13.0 -38.5 4, manaus BR -3.1 -60.0 2,
buenos-aires AR -34.6 -58.4 15, cordoba AR -31.4 -64.2 2, bogota CO 4.7 -74.1 11, medellin CO 6.2 -75.6 4, lima PE -12.0 -77.0 11,
santiago CL -33.4 -70.7 7, caracas VE 10.5 -66.9 3, quito EC -0.2 -78.5 3, london GB 51.5 -0.1 14, manchester GB 53.5 -2.2 4,
birmingham GB 52.5 -1.9 4, glasgow GB 55.9 -4.3 2, paris FR 48.9 2.4 12, lyon FR 45.8 4.8 2, marseille FR 43.3 5.4 2,
frankfurt DE 50.1 8.7 6, berlin DE 52.5 13.4 5, dusseldorf DE 51.2 6.8 9, munich DE 48.1 11.6 4, hamburg DE 53.6 10.0 4,
madrid ES 40.4 -3.7 7, barcelona ES 41.4 2.2 6, seville ES 37.4 -6.0 2, rome IT 41.9 12.5 4, milan IT 45.5 9.2 7,
naples IT 40.9 14.3 4, amsterdam NL 52.4 4.9 7, brussels BE 50.9 4.4 4, zurich CH 47.4 8.5 3, vienna AT 48.2 16.4 3,
stockholm SE 59.3 18.1 3, oslo NO 59.9 10.8 2, copenhagen DK 55.7 12.6 2, helsinki FI 60.2 24.9 2, warsaw PL 52.2 21.0 5,
krakow PL 50.1 19.9 4, prague CZ 50.1 14.4 3, budapest HU 47.5 19.0 3, bucharest RO 44.4 26.1 3, athens GR 38.0 23.7 4,
lisbon PT 38.7 -9.1 3, dublin IE 53.3 -6.3 2, kyiv UA 50.5 30.5 4, odesa UA 46.5 30.7 2, moscow RU 55.8 37.6 17,
saint-petersburg RU 59.9 30.3 6, yekaterinburg RU 56.8 60.6 3, novosibirsk RU 55.0 82.9 3, krasnodar RU 45.0 39.0 3,
vladivostok RU 43.1 131.9 1, istanbul TR 41.0 29.0 16, ankara TR 39.9 32.9 6, izmir TR 38.4 27.1 4, tel-aviv IL 32.1 34.8 4,
riyadh SA 24.7 46.7 8, jeddah SA 21.5 39.2 5, dubai AE 25.2 55.3 5, tehran IR 35.7 51.4 14, mashhad IR 36.3 59.6 4,
baghdad IQ 33.3 44.4 8, almaty KZ 43.2 76.9 2, tashkent UZ 41.3 69.2 4, karachi PK 24.9 67.0 17, lahore PK 31.5 74.3 14,
islamabad PK 33.7 73.1 5, dhaka BD 23.8 90.4 23, chittagong BD 22.4 91.8 5, colombo LK 6.9 79.9 3, bangkok TH 13.8 100.5 15,
ho-chi-minh-city VN 10.8 106.7 14, hanoi VN 21.0 105.8 9, manila PH 14.6 121.0 24, cebu PH 10.3 123.9 3, jakarta ID -6.2 106.8 33,
surabaya ID -7.3 112.7 7, medan ID 3.6 98.7 4, makassar ID -5.1 119.4 2, kuala-lumpur MY 3.1 101.7 8, singapore SG 1.4 103.8 6,
hong-kong HK 22.3 114.2 8, taipei TW 25.0 121.5 9, seoul KR 37.6 127.0 25, busan KR 35.2 129.1 5, tokyo JP 35.7 139.7 37,
osaka JP 34.7 135.5 19, nagoya JP 35.2 136.9 9, fukuoka JP 33.6 130.4 5, sapporo JP 43.1 141.4 3, sydney AU -33.9 151.2 6,
melbourne AU -37.8 145.0 5, brisbane AU -27.5 153.0 3, perth AU -32.0 115.9 2, auckland NZ -36.8 174.8 2, cairo EG 30.0 31.2 22,
alexandria EG 31.2 29.9 6, lagos NG 6.5 3.4 16, abuja NG 9.1 7.5 4, kano NG 12.0 8.5 4, accra GH 5.6 -0.2 5,
abidjan CI 5.3 -4.0 5, dakar SN 14.7 -17.5 3, casablanca MA 33.6 -7.6 4, algiers DZ 36.8 3.1 4, tunis TN 36.8 10.2 2,
johannesburg ZA -26.2 28.0 10, cape-town ZA -33.9 18.4 5, durban ZA -29.9 31.0 3, nairobi KE -1.3 36.8 5, addis-ababa ET 9.0 38.7 5,
kampala UG 0.3 32.6 4, dar-es-salaam TZ -6.8 39.3 7, kinshasa CD -4.3 15.3 16, luanda AO -8.8 13.2 9, khartoum SD 15.5 32.6 6`;

/** Millions of people online. Countries without a city above count as being at their centre of networks. */
const ONLINE_TABLE = `
CN 1050, IN 800, US 311, ID 210, BR 180, RU 125, NG 105, JP 105, MX 100, BD 75, PH 85, EG 80, DE 78, TR 72, IR 72, PK 90, VN 77,
GB 65, TH 61, FR 60, IT 51, KR 50, ES 45, CO 39, AR 40, ZA 43, PL 34, CA 36, UA 30, MY 33, SA 36, MA 33, AU 25, DZ 32, KE 20, IQ 33,
UZ 27, ET 21, PE 24, TW 22, NL 17, CL 18, VE 18, RO 17, GH 22, KZ 18, TZ 20, CD 20, LK 11, SD 13, MM 24, NP 15, EC 14, BE 11, SE 10,
PT 9, GR 9, CZ 10, HU 9, AT 9, CH 9, IL 8, BY 8, AE 9, HK 7, DK 6, FI 5, NO 5, IE 5, SG 6, NZ 5, AO 12, UG 10, CI 11, SN 10, CM 11,
GT 9, DO 9, BO 8, TN 9, JO 10, AZ 9, BG 5, RS 6, SK 5, HR 3, LT 2, LV 2, EE 1, SI 2, GE 3, AM 2, MD 2, KG 5, TM 2, TJ 3, MN 3, KH 11,
LA 5, AF 7, YE 9, SY 8, LB 5, KW 4, QA 3, OM 5, BH 1, LY 6, ML 7, BF 5, NE 4, BJ 4, TG 3, GN 5, ZM 6, ZW 5, MZ 6, MG 5, MW 4, RW 4,
SO 4, CU 8, HN 5, SV 4, NI 4, CR 4, PA 3, PY 5, UY 3, JM 2, TT 1, PR 3, IS 0.4, LU 0.6, CY 1, MT 0.5, AL 2, MK 2, BA 3, XK 2, PG 3, FJ 0.7`;

export const CITIES: readonly City[] = CITY_TABLE.split(",").map((row) => {
  const [name, country, latitude, longitude, millions] = row.trim().split(" ");
  return {
    name,
    country,
    latitude: Number(latitude),
    longitude: Number(longitude),
    millions: Number(millions),
  };
});

/** By country. */
export const MILLIONS_ONLINE: ReadonlyMap<string, number> = new Map(
  ONLINE_TABLE.split(",").map((row) => {
    const [country, millions] = row.trim().split(" ");
    return [country, Number(millions)];
  }),
);
