import { expect, it } from 'vitest';
import { csv } from '../src/save';

it('CSV quotes what would break it, and leaves missing values empty', () => {
  expect(
    csv([
      ['date', 'note'],
      ['2024-05-01', 'a "clear", day'],
      [null, undefined],
    ]),
  ).toBe('date,note\r\n2024-05-01,"a ""clear"", day"\r\n,\r\n');
});
