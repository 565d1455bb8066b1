// The counts of the log in the gateway's status, as they change.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { gatewayFor, temporaryFolder, upstreamFor } from '../harness.ts'

test('H19 the stream of the status shows the log grow', async (context) => {
  const folder = await temporaryFolder(context)
  const { gateway } = await gatewayFor(context, {
    policy: {
      transport: { tls: 'in-front' },
      keys: { vendor: 'acme' },
      audit: { record: true },
      routes: { '/v1/status/stream': { credentials: 'none' } },
    },
    upstream: await upstreamFor(context, (_request, response) => response.end()),
    stateFolder: folder,
    status: true,
    places: { store: { folder: join(folder, 'store') } },
  })
  const stream = await fetch(`${gateway.url}/v1/status/stream`)
  let text = ''
  let asked = false
  for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const counts = [...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => JSON.parse(data!).audit)
    if (counts.length > 0 && !asked) {
      asked = true
      await fetch(`${gateway.url}/?key=sk_acme_live_${'a'.repeat(38)}`)
    }
    // The start of the gateway is the first.
    if (counts.at(-1)?.entries === 2) return
  }
  assert.fail('the stream ended before the log had grown')
})
