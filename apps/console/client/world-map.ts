/** The world, drawn as SVG from Natural Earth's public domain borders; whoever uses it adds layers on top. */
import { geoEqualEarth, geoGraticule10, geoPath } from "d3-geo";
import type { GeoPermissibleObjects } from "d3-geo";
import type { Coordinates } from "@riposte/fleet";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import world from "world-atlas/countries-110m.json" with { type: "json" };
import { svg } from "./dom.ts";

export const MAP_WIDTH = 960;
const MAP_HEIGHT = 460;
const ANTARCTICA = "010";

export class WorldMap {
  readonly element: SVGSVGElement;
  readonly #projection = geoEqualEarth();
  readonly #path = geoPath(this.#projection);

  constructor(label: string) {
    const topology = world as unknown as Topology<{ countries: GeometryCollection }>;
    const { countries } = topology.objects;
    const drawn = { ...countries, geometries: countries.geometries.filter(({ id }) => id !== ANTARCTICA) };
    const land = feature(topology, drawn);
    this.#projection.fitExtent(
      [
        [8, 8],
        [MAP_WIDTH - 8, MAP_HEIGHT - 8],
      ],
      land,
    );
    const borders = mesh(topology, drawn, (a, b) => a !== b);
    const draw = (shape: GeoPermissibleObjects, className: string): SVGPathElement =>
      svg("path", { d: this.draw(shape), class: className });
    this.element = svg(
      "svg",
      { viewBox: `0 0 ${MAP_WIDTH} ${MAP_HEIGHT}`, class: "world", role: "group", "aria-label": label },
      draw(geoGraticule10(), "graticule"),
      draw(land, "land"),
      draw(borders, "borders"),
    );
  }

  /** On top of what is there. */
  addLayer(className: string): SVGGElement {
    const layer = svg("g", { class: className });
    this.element.append(layer);
    return layer;
  }

  locate({ latitude, longitude }: Coordinates): readonly [x: number, y: number] {
    return this.#projection([longitude, latitude]) ?? [0, 0];
  }

  /** The shortest way on the globe, as a path. */
  way(from: Coordinates, to: Coordinates): string {
    return this.draw({
      type: "LineString",
      coordinates: [
        [from.longitude, from.latitude],
        [to.longitude, to.latitude],
      ],
    });
  }

  draw(shape: GeoPermissibleObjects): string {
    return this.#path(shape) ?? "";
  }
}
