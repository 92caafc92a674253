/** The sign of a curve: shape and width as well as colour tell curves apart. */
import { LINE_WIDTH, type Shape } from './chart';

export function Swatch({ shape, colour, width = LINE_WIDTH }: { shape: Shape; colour: string; width?: number }) {
  return (
    <svg class="swatch" width="18" height="12" viewBox="0 0 18 12" aria-hidden="true">
      {(shape === 'line' || shape === 'dash') && (
        <line
          x1="1"
          x2="17"
          y1="6"
          y2="6"
          stroke={colour}
          stroke-width={width + 0.6}
          stroke-dasharray={shape === 'dash' ? '4 2.5' : undefined}
        />
      )}
      {shape === 'dot' && <circle cx="9" cy="6" r="4" fill={colour} />}
      {shape === 'ring' && <circle cx="9" cy="6" r="3.6" fill="var(--paper)" stroke={colour} stroke-width="1.8" />}
      {shape === 'square' && <rect x="6" y="3" width="6" height="6" fill={colour} />}
    </svg>
  );
}
