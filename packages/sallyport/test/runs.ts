// How often a property is tried: a seeded slice in `npm test`, many times as often with a fresh seed in
// `npm run test:long`.

const FACTOR = Number(process.env['SALLYPORT_RUNS_FACTOR'] ?? '1')
const SEED = Number(process.env['SALLYPORT_SEED'] ?? '20261125')

/** The parameters of `fc.assert` for a property that the slice tries `slice` times. */
export function runs(slice: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: slice * FACTOR, seed: SEED }
}
