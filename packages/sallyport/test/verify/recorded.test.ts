// Answers that were recorded: what `--capture` keeps, the HAR of a browser, files that are neither.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import {
  type Captured,
  captureOf,
  readCapture,
  readHar,
  verifyCaptured,
} from '../../src/posture/verify/captured.ts'
import { CouldNotVerify } from '../../src/posture/verify/result.ts'
import { verificationText } from '../../src/posture/verify/text.ts'
import { verify } from '../../src/posture/verify/verify.ts'
import { found, under } from './server.ts'

const POLICY: PolicyDocument = {
  extends: 'recommended',
  cors: { origins: ['https://app.example.com'], bearer: 'listed' },
}

describe('recorded answers', () => {
  it('are judged as live ones are', async (context) => {
    const url = await under(context, POLICY, (_request, response) => response.end('{}'))
    const captured: Captured[] = []
    const live = await verify(POLICY, url, {
      place: 'node',
      onExchange: (exchanged) => captured.push(...[captureOf(exchanged) ?? []].flat()),
    })
    const file = readCapture(JSON.stringify({ format: 'sallyport-capture/1', exchanges: captured }))
    const again = await verifyCaptured(POLICY, file, 'captured', { place: 'node' })
    assert.deepEqual(again.findings, [])
    assert.deepEqual([again.passed, again.of, again.notRun], [live.passed, live.of, []])
    // One line less in one answer is found in the file.
    const broken = file.map((each, index) => {
      const headers = each.answer.headers.filter(([name]) => name.toLowerCase() !== 'x-content-type-options')
      return index === 3 ? { ...each, answer: { ...each.answer, headers } } : each
    })
    const finding = await verifyCaptured(POLICY, broken, 'captured', { place: 'node' })
    assert.deepEqual([...new Set(finding.findings.map(({ id }) => id))], ['xcto.missing'])
  })

  it('never hold the answers to a credential', async (context) => {
    const url = await under(context, POLICY, (_request, response) => response.end('{}'))
    const kept: Captured[] = []
    await verify(POLICY, url, {
      credentials: [{ role: 'user', header: 'Authorization', value: 'Bearer abcdefgh' }],
      onExchange: (exchanged) => kept.push(...[captureOf(exchanged) ?? []].flat()),
    })
    assert.ok(kept.length > 30 && !JSON.stringify(kept).includes('abcdefgh'))
  })

  it('may come from a browser, whose cookies stay out of the report', async () => {
    const har = {
      log: {
        entries: [
          {
            request: {
              method: 'GET',
              url: 'https://api.example.com/v1/account?x=1',
              headers: [
                { name: ':method', value: 'GET' },
                { name: 'Cookie', value: 'session=s3cret' },
              ],
            },
            response: {
              status: 200,
              headers: [
                { name: 'cache-control', value: 'public, max-age=60' },
                { name: 'set-cookie', value: 'a=1\nb=2' },
              ],
              content: { text: '{}' },
            },
          },
          {
            request: { method: 'GET', url: 'https://cdn.example/x' },
            response: { status: 200, headers: [] },
          },
          { request: { method: 'GET', url: 'https://api.example.com/gone' }, response: { status: 0 } },
        ],
      },
    }
    const result = await verifyCaptured(POLICY, readHar(JSON.stringify(har)), 'har')
    assert.deepEqual([result.target, result.requests, result.source], ['https://api.example.com', 1, 'har'])
    for (const id of ['cache.set-cookie 200 *', 'hsts.missing 200 *', 'xcto.missing 200 *'])
      assert.ok(found(result).includes(id), id)
    assert.ok(!(JSON.stringify(result) + verificationText(result)).includes('s3cret'))
    assert.match(result.findings[0]!.curl, /Cookie: \$COOKIE/)
    assert.ok(result.notRun.some(({ because }) => because === 'its request is not in the file'))
  })

  it('of nobody, or of another origin, are refused', async () => {
    await assert.rejects(verifyCaptured(POLICY, [], 'har'), /there is no answer in the file/)
    const [one] = readHar(
      JSON.stringify({
        log: { entries: [{ request: { url: 'http://a.example/' }, response: { status: 200 } }] },
      }),
    )
    await assert.rejects(
      verifyCaptured(POLICY, [one!], 'har', { origin: 'https://b.example' }),
      /there is no answer of https:\/\/b\.example in the file/,
    )
  })

  it('are read from any file without a crash', () => {
    for (const text of [
      '',
      '{',
      'null',
      '[]',
      '{"log":{}}',
      '{"format":"sallyport-capture/2","exchanges":[]}',
    ]) {
      assert.throws(() => readHar(text), CouldNotVerify, text)
      assert.throws(() => readCapture(text), CouldNotVerify, text)
    }
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (entries) => {
        assert.ok(Array.isArray(readHar(JSON.stringify({ log: { entries } }))))
        assert.ok(
          Array.isArray(readCapture(JSON.stringify({ format: 'sallyport-capture/1', exchanges: entries }))),
        )
      }),
    )
  })
})
