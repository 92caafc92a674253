/** Which archives a season has raw data of, in words. */

const ARCHIVES: Record<string, string> = { phenocam: 'the camera', s2: 'Sentinel-2', s3: 'Sentinel-3' };

/** What is there and what is not; empty where nothing is. fetched: keys of ARCHIVES. */
export function thereAndNot(fetched: string[]): string {
  const names = (wanted: boolean) =>
    Object.keys(ARCHIVES)
      .filter((key) => fetched.includes(key) === wanted)
      .map((key) => ARCHIVES[key])
      .join(' and ');
  if (!fetched.length) return '';
  const missing = names(false);
  return missing ? `Raw data of ${names(true)} alone; none of ${missing} yet.` : 'Raw data of all three archives.';
}
