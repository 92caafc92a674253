import { describe, expect, it } from 'vitest';
import { frame, outlines, type Topology } from '../src/world';

describe('the small map', () => {
  it('holds every site with air around, north up and east right', () => {
    const project = frame(
      [
        [11.3, 47.1],
        [25.1, 35.3],
        [19.8, 64.2],
      ],
      420,
      220,
    );
    for (const place of [
      [11.3, 47.1],
      [25.1, 35.3],
      [19.8, 64.2],
    ] as const) {
      const [x, y] = project(place);
      expect(x > 10 && x < 410 && y > 10 && y < 210).toBe(true);
    }
    expect(project([25.1, 35.3])[0]).toBeGreaterThan(project([11.3, 35.3])[0]);
    expect(project([19.8, 64.2])[1]).toBeLessThan(project([19.8, 35.3])[1]);
  });

  it('keeps a lone site in the middle', () => {
    expect(frame([[149, -35]], 420, 220)([149, -35])).toEqual([210, 110]);
  });

  it('cuts what crosses the date line', () => {
    const strait: Topology = {
      transform: { scale: [1, 1], translate: [-180, 0] },
      arcs: [
        [
          [359, 0],
          [1, 1],
          [-359, 1],
          [0, 5],
        ],
      ],
      objects: { land: { geometries: [] } },
    };
    expect(outlines(strait, ([x, y]) => [x, y]).lines).toBe('M179.0 0.0L180.0 1.0M-179.0 2.0L-179.0 7.0');
  });

  it('keeps land in one piece where its ring begins between two crossings of the date line', () => {
    const cape: Topology = {
      transform: { scale: [1, 1], translate: [-180, 0] },
      arcs: [
        [
          [350, 0],
          [10, 1],
          [-360, 0],
          [0, 8],
          [360, 0],
          [-10, 1],
          [0, -10],
        ],
      ],
      objects: { land: { geometries: [{ arcs: [[[0]]] }] } },
    };
    expect(outlines(cape, ([x, y]) => [x, y]).land).toBe(
      'M180.0 9.0L170.0 10.0L170.0 0.0L170.0 0.0L180.0 1.0zM-180.0 1.0L-180.0 9.0z',
    );
  });

  it('closes rings along arcs forwards and backwards', () => {
    const square: Topology = {
      transform: { scale: [1, 1], translate: [0, 0] },
      arcs: [
        [
          [0, 0],
          [4, 0],
        ],
        [
          [0, 0],
          [0, 4],
          [4, 0],
        ],
      ],
      objects: { land: { geometries: [{ arcs: [[[0, ~1]]] }] } },
    };
    const { land } = outlines(square, ([x, y]) => [x, y]);
    expect(land).toBe('M0.0 0.0L4.0 0.0L4.0 4.0L0.0 4.0L0.0 0.0z');
  });
});
