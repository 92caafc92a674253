/** Which style is drawn on which panel. */
import type { Layer, Season } from '../api';
import type { Source, Stage } from '../route';
import type { Frame } from '../raster/frame';
import { fits, layerStyle, sceneClasses, STYLES, type Style } from '../raster/styles';
import { isItb } from '../ui/words';

/** Options of the style select: styles, then the quality layers that exist. */
export function styleOptions(season: Season, stage: Stage): [string, string][] {
  const styles = STYLES.filter((style) => !isItb(season.scenario) || style.key === 'gcc' || stage === 'raw').map(
    (style): [string, string] => [style.key, style.label],
  );
  const layers = stage === 'fusion' || stage === 'processed' ? season.quality : [];
  return [...styles, ...layers.map((layer): [string, string] => [layer.key, `${layer.label} (fused)`])];
}

/** The option that is in force; the first one, true colour or Index-then-Blend's GCC, stands for what is no option. */
export function styleKey(season: Season, stage: Stage, wanted: string): string {
  const options = styleOptions(season, stage).map(([key]) => key);
  return options.includes(wanted) ? wanted : options[0]!;
}

/** What the difference view is called beside the style that is in force: colours have no difference, so GCC has. */
export function differenceName(season: Season, stage: Stage, wanted: string): string {
  const style = STYLES.find((one) => one.key === styleKey(season, stage, wanted));
  return style?.kind === 'colour' ? 'Difference of GCC' : 'Difference';
}

export function layerOf(season: Season, key: string): Layer | undefined {
  return season.quality.find((layer) => layer.key === key);
}

/** The style for a frame: the wanted one where it fits, else the nearest that does. */
export function styleFor(wanted: string, source: Source, frame: Frame | null, season: Season): Style {
  if (source === 'distance')
    return layerStyle('distance', 'Distance to cloud', 'coarse pixels', 'coarse pixels of 300 m to the nearest cloud');
  if (source === 'scl') return sceneClasses;
  const layer = layerOf(season, wanted);
  if (layer && source === 'fused') return layerStyle(layer.key, layer.label, layer.unit, layer.explanation);
  const style = STYLES.find((one) => one.key === wanted) ?? STYLES[0]!;
  if (!frame || fits(frame, style)) return style;
  return STYLES.find((one) => one.key === 'gcc')!;
}

const CHANNELS: Record<string, string> = { b02: 'blue', b03: 'green', b04: 'red', b8a: 'nir', gcc: 'gcc' };

/** The layer of standard deviations that belongs to a style; colours and NDVI have none. */
export function deviationOf(season: Pick<Season, 'quality'>, style: string): Layer | undefined {
  const channel = Object.hasOwn(CHANNELS, style) ? CHANNELS[style] : undefined;
  return season.quality.find((layer) => channel && layer.key === `standard_deviation_${channel}`);
}

/** The style with what its numbers are: bands are reflectance, indices have no unit. */
export function withUnit(style: Style): Style {
  if (style.kind !== 'value' || style.unit || style.quantity === 'value') return style;
  const unit = style.quantity === 'gcc' || style.quantity === 'ndvi' ? 'no unit' : 'reflectance';
  return { ...style, unit };
}

export function deviationStyle(layer: Layer): Style {
  const unit = layer.key.endsWith('_gcc') ? 'no unit' : 'reflectance';
  return layerStyle(layer.key, layer.label, layer.unit || unit, layer.explanation);
}
