/** Which months a report is about, in its own words. */
export function Period({ of }: { of: unknown }) {
  const says = (of as { says?: unknown } | null | undefined)?.says;
  return typeof says === 'string' ? <p class="note">{says}</p> : null;
}
