/** Where data centres and players are: large cities with their millions of people, rounded. */
export interface City {
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly millions: number;
}

const TABLE = `
tokyo 35.7 139.7 37, delhi 28.6 77.2 33, shanghai 31.2 121.5 29, dhaka 23.8 90.4 23, sao-paulo -23.6 -46.6 22,
mexico-city 19.4 -99.1 22, cairo 30.0 31.2 22, beijing 39.9 116.4 21, mumbai 19.1 72.9 21, osaka 34.7 135.5 19,
chongqing 29.6 106.6 17, karachi 24.9 67.0 17, kinshasa -4.3 15.3 16, lagos 6.5 3.4 16, istanbul 41.0 29.0 16,
buenos-aires -34.6 -58.4 15, kolkata 22.6 88.4 15, manila 14.6 121.0 14, rio -22.9 -43.2 13, guangzhou 23.1 113.3 14,
lahore 31.5 74.3 14, bangalore 13.0 77.6 13, moscow 55.8 37.6 12, shenzhen 22.5 114.1 13, paris 48.9 2.4 11,
bogota 4.7 -74.1 11, jakarta -6.2 106.8 11, lima -12.0 -77.0 11, bangkok 13.8 100.5 11, seoul 37.6 127.0 10,
london 51.5 -0.1 9, new-york 40.7 -74.0 19, los-angeles 34.1 -118.2 13, chicago 41.9 -87.6 9, dallas 32.8 -96.8 7,
miami 25.8 -80.2 6, atlanta 33.7 -84.4 6, seattle 47.6 -122.3 4, san-francisco 37.8 -122.4 5, denver 39.7 -105.0 3,
toronto 43.7 -79.4 6, montreal 45.5 -73.6 4, madrid 40.4 -3.7 7, berlin 52.5 13.4 4, frankfurt 50.1 8.7 3,
amsterdam 52.4 4.9 3, stockholm 59.3 18.1 2, warsaw 52.2 21.0 3, milan 45.5 9.2 4, dublin 53.3 -6.3 2,
singapore 1.4 103.8 6, hong-kong 22.3 114.2 8, taipei 25.0 121.5 7, sydney -33.9 151.2 5, melbourne -37.8 145.0 5,
auckland -36.8 174.8 2, johannesburg -26.2 28.0 6, cape-town -33.9 18.4 5, nairobi -1.3 36.8 5, dubai 25.2 55.3 4,
riyadh 24.7 46.7 8, tehran 35.7 51.4 10, tel-aviv 32.1 34.8 4, santiago -33.4 -70.7 7, caracas 10.5 -66.9 3`;

export const CITIES: readonly City[] = TABLE.split(",").map((row) => {
  const [name, latitude, longitude, millions] = row.trim().split(" ");
  return { name, latitude: Number(latitude), longitude: Number(longitude), millions: Number(millions) };
});
