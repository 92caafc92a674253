/** An OpenLayers layer that draws rasters and marks on a 2D canvas: unresampled pixels in the raster's own projection. */
import Layer from 'ol/layer/Layer';
import type { FrameState } from 'ol/Map';

export interface Picture {
  canvas: HTMLCanvasElement | OffscreenCanvas;
  /** left, bottom, right, top in metres */
  extent: readonly [number, number, number, number];
}

export interface Content {
  base: Picture | null;
  /** Drawn right of the split. */
  over: Picture | null;
  split: number;
  /** The site, drawn as the window from which its series are sampled. */
  marker: readonly [number, number];
  /** Border of the ground that the camera shows. */
  footprint: readonly (readonly [number, number])[] | null;
  pixel: readonly [number, number] | null;
  /** Corners of a drawn area, as far as they are set. */
  area: readonly (readonly [number, number])[] | null;
  hover: readonly [number, number] | null;
}

const SITE_WINDOW_M = 30;
const PIXEL_M = 10;
const AREA = '#4fd1ff';

export class RasterLayer extends Layer {
  private readonly canvas = document.createElement('canvas');
  content: Content;
  onDrawn: () => void = () => undefined;

  constructor(content: Content) {
    super({});
    this.content = content;
    this.canvas.className = 'map-canvas';
    this.canvas.setAttribute('role', 'presentation');
  }

  show(content: Content): void {
    this.content = content;
    this.changed();
  }

  override render(state: FrameState | null): HTMLElement {
    if (!state) return this.canvas;
    const [width, height] = state.size as [number, number];
    const ratio = state.pixelRatio;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
    }
    const context = this.canvas.getContext('2d')!;
    const { center, resolution } = state.viewState;
    const toScreen = (east: number, north: number): [number, number] => [
      (width / 2 + (east - center[0]!) / resolution) * ratio,
      (height / 2 - (north - center[1]!) / resolution) * ratio,
    ];
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.imageSmoothingEnabled = false;
    this.picture(context, this.content.base, toScreen);
    if (this.content.over) this.overlay(context, this.content.over, toScreen, ratio);
    this.marks(context, toScreen, ratio, resolution);
    this.onDrawn();
    return this.canvas;
  }

  private picture(
    context: CanvasRenderingContext2D,
    picture: Picture | null,
    toScreen: (e: number, n: number) => [number, number],
  ): void {
    if (!picture) return;
    const [left, bottom, right, top] = picture.extent;
    const [x0, y0] = toScreen(left, top);
    const [x1, y1] = toScreen(right, bottom);
    context.drawImage(picture.canvas, x0, y0, x1 - x0, y1 - y0);
  }

  private overlay(
    context: CanvasRenderingContext2D,
    over: Picture,
    toScreen: (e: number, n: number) => [number, number],
    ratio: number,
  ): void {
    const x = this.content.split * this.canvas.width;
    context.save();
    context.beginPath();
    context.rect(x, 0, this.canvas.width - x, this.canvas.height);
    context.clip();
    context.clearRect(x, 0, this.canvas.width - x, this.canvas.height);
    this.picture(context, over, toScreen);
    context.restore();
    context.fillStyle = '#fff';
    context.fillRect(x - 1.5 * ratio, 0, 3 * ratio, this.canvas.height);
    context.fillStyle = '#1b1f1d';
    context.fillRect(x - 0.5 * ratio, 0, ratio, this.canvas.height);
  }

  private marks(
    context: CanvasRenderingContext2D,
    toScreen: (e: number, n: number) => [number, number],
    ratio: number,
    resolution: number,
  ): void {
    const square = (place: readonly [number, number], side: number, colour: string): void => {
      const half = Math.max(side / 2 / resolution, 4) * ratio;
      const [x, y] = toScreen(place[0], place[1]);
      context.lineWidth = 3.5 * ratio;
      context.strokeStyle = 'rgb(0 0 0 / 70%)';
      context.strokeRect(x - half, y - half, 2 * half, 2 * half);
      context.lineWidth = 1.5 * ratio;
      context.strokeStyle = colour;
      context.strokeRect(x - half, y - half, 2 * half, 2 * half);
    };
    const border = this.content.footprint?.map(([east, north]) => toScreen(east, north)) ?? [];
    outline(context, border, '#ffd400', ratio);
    const corners = this.content.area?.map(([east, north]) => toScreen(east, north)) ?? [];
    outline(context, [...corners, ...corners.slice(0, 1)], AREA, ratio);
    context.fillStyle = AREA;
    for (const [x, y] of corners) context.fillRect(x - 2 * ratio, y - 2 * ratio, 4 * ratio, 4 * ratio);
    square(this.content.marker, SITE_WINDOW_M, '#ffd400');
    if (this.content.pixel) square(this.content.pixel, PIXEL_M, '#ff4fb3');
    if (this.content.hover) {
      const [x, y] = toScreen(this.content.hover[0], this.content.hover[1]);
      for (const [colour, line] of [
        ['rgb(0 0 0 / 60%)', 3],
        ['#fff', 1],
      ] as const) {
        context.strokeStyle = colour;
        context.lineWidth = line * ratio;
        context.beginPath();
        context.moveTo(x - 7 * ratio, y);
        context.lineTo(x + 7 * ratio, y);
        context.moveTo(x, y - 7 * ratio);
        context.lineTo(x, y + 7 * ratio);
        context.stroke();
      }
    }
  }
}

/** A bright line on a dark one, so that it is seen on every ground. */
function outline(
  context: CanvasRenderingContext2D,
  points: readonly (readonly [number, number])[],
  colour: string,
  ratio: number,
): void {
  for (const [ink, width] of [
    ['rgb(0 0 0 / 70%)', 3.5],
    [colour, 1.5],
  ] as const) {
    context.strokeStyle = ink;
    context.lineWidth = width * ratio;
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x, y);
    context.stroke();
  }
}
