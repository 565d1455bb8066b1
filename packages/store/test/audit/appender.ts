// A process that appends events under load and says which were acknowledged, until it is killed. Arguments: where the
// store is (a folder or a URL), the file of the anchor, then milliseconds between two checkpoints.

import { fileAnchor, openAuditLog } from '../../src/audit/index.ts'
import { openStore } from '../../src/index.ts'
import { event, signer } from './behaviour.ts'

const [place, anchor, checkpointMs] = process.argv.slice(2)
const APPENDERS = 16

const store = await openStore(place!.startsWith('postgres:') ? { url: place! } : { directory: place! })
const audit = await openAuditLog({
  database: store,
  origin: 'audit.example/log',
  signer,
  anchor: fileAnchor(anchor!),
  later(run) {
    const handle = setTimeout(run, Number(checkpointMs))
    return () => clearTimeout(handle)
  },
})
if (audit.state.problem !== undefined) throw new Error(audit.state.problem)
process.stdout.write('open\n')
let number = 0
await Promise.all(
  Array.from({ length: APPENDERS }, async () => {
    for (;;) {
      const target = `${process.pid}-${number++}`
      await audit.append(event(number, { target }))
      process.stdout.write(`${target}\n`)
    }
  }),
)
