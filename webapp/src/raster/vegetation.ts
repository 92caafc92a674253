/**
 * The ramp of NDVI and GCC: "bamako" reversed, from pale soil to dark green.
 *
 * Perceptually uniform, told apart with every common colour vision and in grey. Fabio Crameri, Scientific colour maps,
 * MIT licence (Copyright (c) 2023, Fabio Crameri); 17 of its 256 colours, between which straight lines are drawn. The server's figures
 * take the whole table from the package cmcrameri, and a test holds this one against it.
 */
export const VEGETATION: readonly (readonly [number, number, number])[] = [
  [255, 229, 173],
  [239, 213, 138],
  [221, 196, 100],
  [202, 178, 63],
  [180, 160, 34],
  [158, 145, 8],
  [137, 137, 0],
  [116, 132, 1],
  [97, 121, 11],
  [80, 110, 22],
  [64, 100, 32],
  [49, 90, 41],
  [36, 82, 49],
  [25, 74, 56],
  [15, 68, 62],
  [7, 63, 67],
  [0, 59, 71],
];
