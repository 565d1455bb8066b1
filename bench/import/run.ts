// `npm run bench -- import`: what loading the library costs a process, against helmet + cors + express-rate-limit.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildPackage } from '../../.ci/build.ts'
import { machine, median } from '../load.ts'

const PEERS = ['helmet', 'cors', 'express-rate-limit']

function millisToLoad(specifiers: readonly string[]): number {
  const script = `const t=process.hrtime.bigint();for(const s of ${JSON.stringify(specifiers)})await import(s);console.log(Number(process.hrtime.bigint()-t)/1e6)`
  return Number(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      cwd: fileURLToPath(new URL('.', import.meta.url)),
    }),
  )
}

/** Runs the comparison and returns its table as Markdown. */
export function benchImport(rounds: number): string {
  const out = buildPackage('sallyport')
  const ours = [`${out}/adapters/node/index.js`, `${out}/adapters/express.js`].filter((file) =>
    existsSync(file),
  )
  const own: number[] = []
  const peers: number[] = []
  for (let round = 0; round < rounds; round++) {
    own.push(millisToLoad(ours))
    peers.push(millisToLoad(PEERS))
  }
  const ratio = median(own.map((value, round) => value / peers[round]!))
  return [
    `### Import cost\n\n${machine()}; ${rounds} fresh processes each, alternating; the published build.\n`,
    '| what | ms (median) |',
    '|---|---|',
    `| sallyport/node + sallyport/express | ${median(own).toFixed(1)} |`,
    `| ${PEERS.join(' + ')} | ${median(peers).toFixed(1)} |`,
    `| ratio (goal ≤ 0.5) | ${ratio.toFixed(2)} |`,
    '',
  ].join('\n')
}
