// `npm run bench -- import`: what loading the library adds to a fresh process, against helmet + cors + express-rate-limit.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { buildPackage } from '../../.ci/build.ts'
import { machine, median } from '../load.ts'

const PEERS = ['helmet', 'cors', 'express-rate-limit']

function millisToLoad(specifiers: readonly string[], beside: readonly string[]): number {
  const load = (list: readonly string[]) =>
    list.map((name) => `await import(${JSON.stringify(name)});`).join('')
  const script = `${load(beside)}const t=process.hrtime.bigint();${load(specifiers)}console.log(Number(process.hrtime.bigint()-t)/1e6)`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  })
  return Number(output)
}

/** Runs the comparison and returns its table as Markdown. */
export function benchImport(rounds: number): string {
  const out = buildPackage('sallyport')
  const ours = [`${out}/adapters/node/index.js`, `${out}/adapters/express.js`]
  const rows = [
    { name: 'in a fresh process (goal ≤ 0.5)', beside: [] },
    { name: 'beside Express, loaded before', beside: ['express'] },
  ].map(({ name, beside }) => {
    const own: number[] = []
    const peers: number[] = []
    for (let round = 0; round < rounds; round++) {
      own.push(millisToLoad(ours, beside))
      peers.push(millisToLoad(PEERS, beside))
    }
    const ratio = median(own.map((value, round) => value / peers[round]!))
    return `| ${name} | ${median(own).toFixed(1)} | ${median(peers).toFixed(1)} | ${ratio.toFixed(2)} |`
  })
  return [
    `### Import cost\n\n${machine()}; ${rounds} processes each, alternating; the published build; medians.\n`,
    `| where | sallyport/node + sallyport/express, ms | ${PEERS.join(' + ')}, ms | ratio |`,
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}
