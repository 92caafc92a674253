/** The sign of a curve: shape as well as colour tell curves apart. */
import type { Shape } from './chart';

export function Swatch({ shape, colour }: { shape: Shape; colour: string }) {
  return (
    <svg class="swatch" width="18" height="12" viewBox="0 0 18 12" aria-hidden="true">
      {(shape === 'line' || shape === 'dash') && (
        <line
          x1="1"
          x2="17"
          y1="6"
          y2="6"
          stroke={colour}
          stroke-width="2.4"
          stroke-dasharray={shape === 'dash' ? '4 2.5' : undefined}
        />
      )}
      {shape === 'dot' && <circle cx="9" cy="6" r="4" fill={colour} />}
      {shape === 'ring' && <circle cx="9" cy="6" r="3.6" fill="#fff" stroke={colour} stroke-width="1.8" />}
      {shape === 'square' && <rect x="6" y="3" width="6" height="6" fill={colour} />}
    </svg>
  );
}
