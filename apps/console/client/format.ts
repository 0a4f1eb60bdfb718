/** Numbers for people. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const regionNames = new Intl.DisplayNames(["en"], { type: "region", fallback: "code" });

export function count(value: number): string {
  return whole.format(value);
}

export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

export function ms(value: number): string {
  return value < 10 ? `${value.toFixed(1)} ms` : `${whole.format(value)} ms`;
}

export function duration(value: number): string {
  const minutes = Math.floor(value / 60_000);
  if (minutes < 1) return `${Math.floor(value / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${Math.floor(minutes / 1440)} days`;
}

export function countryName(code: string): string {
  try {
    return regionNames.of(code) ?? code;
  } catch {
    return code;
  }
}

/** Where, as on a map: 51.5° N, 0.1° W. */
export function place(latitude: number, longitude: number): string {
  const [ns, ew] = [latitude < 0 ? "S" : "N", longitude < 0 ? "W" : "E"];
  return `${Math.abs(latitude).toFixed(1)}° ${ns}, ${Math.abs(longitude).toFixed(1)}° ${ew}`;
}
