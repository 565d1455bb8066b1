// A worker thread of the whole run: takes ids of mutations, gives what came of each.

import { parentPort, workerData } from 'node:worker_threads'
import { mutations } from './list.ts'
import { runMutations } from './run.ts'

const wanted = new Set(workerData as readonly string[])
const outcomes = await runMutations(mutations.filter(({ id }) => wanted.has(id)))
parentPort?.postMessage(
  outcomes.map(({ mutation, verdict, findings }) => ({ id: mutation.id, verdict, findings })),
)
