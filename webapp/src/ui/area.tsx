/** A drawn area: drawing it corner by corner, and what is in it. */
import { useEffect } from 'preact/hooks';
import type { AreaSeason } from '../api';
import { LEAST_CORNERS } from '../route';
import { drawing, go, route, type Loaded } from '../state';
import { Failure } from './parts';

const HECTARES_A_PIXEL = 0.01;

/** Buttons beside the maps: begin, end, give up. */
export function AreaTools() {
  const corners = drawing.value;
  useEffect(() => () => void (drawing.value = null), []);
  if (!corners)
    return (
      <button type="button" class="quiet" onClick={() => (drawing.value = [])}>
        Draw an area
      </button>
    );
  const close = (): void => {
    go({ area: corners }, true);
    drawing.value = null;
  };
  return (
    <>
      <span class="note">Click its corners on a map: {corners.length} so far.</span>
      <button type="button" class="quiet" disabled={corners.length < LEAST_CORNERS} onClick={close}>
        Close the area
      </button>
      <button type="button" class="quiet" onClick={() => (drawing.value = null)}>
        Give up
      </button>
    </>
  );
}

export function AreaCard({ state }: { state: Loaded<AreaSeason> }) {
  const { area, stage } = route.value;
  if (!area) return null;
  const pixels = state.data?.pixels;
  return (
    <div class="pixel-card area-card" role="status" data-pixels={pixels ?? ''}>
      {pixels !== undefined && (
        <>
          <strong>
            Area of {pixels} pixels, {(pixels * HECTARES_A_PIXEL).toFixed(1)} ha
          </strong>
          <span>line: mean; band: one standard deviation of its pixels from each other</span>
        </>
      )}
      {!areaIsRead(stage) && <span>The area is read at the stages Fusion and Postprocessed.</span>}
      {state.loading && <span>Loading…</span>}
      <button type="button" class="quiet" onClick={() => go({ area: null })}>
        Remove the area
      </button>
      {state.error && <Failure error={state.error} />}
    </div>
  );
}

/** Whether a stage's pictures are those of the pack, of which areas are read. */
export const areaIsRead = (stage: string): boolean => stage === 'fusion' || stage === 'processed';
