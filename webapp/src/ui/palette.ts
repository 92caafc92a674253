/** The style sheet's colours for canvases, which know no variables. */

const known = new Map<string, string>();

/** What a colour such as "var(--fused)" is at present; `share` of 100 of it, the rest see-through. */
export function painted(colour: string, share = 100): string {
  const asked = share === 100 ? colour : `color-mix(in srgb, ${colour} ${share}%, transparent)`;
  let found = known.get(asked);
  if (found === undefined) {
    const probe = document.body.appendChild(document.createElement('span'));
    probe.style.color = asked;
    found = getComputedStyle(probe).color;
    probe.remove();
    known.set(asked, found);
  }
  return found;
}

/** To be called whenever light and dark change places. */
export function forgetPainted(): void {
  known.clear();
}
