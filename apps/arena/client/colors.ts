/** Players' colours from their hue, in the forms Pixi and CSS want. */

function channel(hue: number, offset: number, saturation: number, lightness: number): number {
  const k = (offset + hue / 30) % 12;
  const amount = saturation * Math.min(lightness, 1 - lightness);
  return lightness - amount * Math.max(-1, Math.min(k - 3, 9 - k, 1));
}

/** 0xrrggbb; `hue` in half degrees, as the game's state carries it. */
export function hueColor(hue: number, saturation = 0.85, lightness = 0.62): number {
  const degrees = hue * 2;
  const red = Math.round(channel(degrees, 0, saturation, lightness) * 255);
  const green = Math.round(channel(degrees, 8, saturation, lightness) * 255);
  const blue = Math.round(channel(degrees, 4, saturation, lightness) * 255);
  return (red << 16) | (green << 8) | blue;
}

export function hueCss(hue: number): string {
  return `hsl(${hue * 2} 85% 64%)`;
}

/** The four quarters of the field have a colour each, so that one knows where one is. */
export function zoneColor(x: number, y: number): number {
  if (Math.hypot(x, y) < 13) return 0x35e0c2;
  if (x >= 0) return y >= 0 ? 0xffb547 : 0x4f9dff;
  return y >= 0 ? 0xff5c8a : 0x9b7bff;
}
