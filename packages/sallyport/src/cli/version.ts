// The version of this package, as its manifest says it.

import { readFileSync } from 'node:fs'

/** The version of this package. */
export function version(): string {
  // By our own name, since sources and the published form lie at different depths.
  const manifest = readFileSync(new URL(import.meta.resolve('sallyport/package.json')), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
