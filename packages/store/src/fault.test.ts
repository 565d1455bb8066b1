// What a driver throws, and what callers hear of it.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { faultOf, isConnectionLost, StoreFault, type StoreFaultCode } from './fault.ts'

const thrown = (fields: Record<string, string>) => Object.assign(new Error('the row ("secret")'), fields)

const cases: readonly (readonly [Record<string, string>, StoreFaultCode | undefined, boolean])[] = [
  [{ code: '53100' }, 'full', false],
  [{ code: '53300' }, 'busy', false],
  [{ code: '55P03' }, 'busy', false],
  [{ code: '57014' }, 'slow', false],
  [{ message: 'Query read timeout' }, 'slow', true],
  [{ message: 'timeout exceeded when trying to connect' }, 'busy', false],
  [{ message: 'Connection terminated due to connection timeout' }, 'unavailable', true],
  [{ code: '57P01' }, 'unavailable', true],
  [{ code: '08006' }, 'unavailable', true],
  [{ code: '25006' }, 'unavailable', true],
  [{ code: 'ECONNREFUSED' }, 'unavailable', true],
  [{ code: '42P05' }, 'refused', false],
  [{ code: '08P01', message: 'unsupported startup parameter: lock_timeout' }, 'refused', true],
  [{ code: 'XX001' }, 'damaged', false],
  [{ code: '58P01' }, 'damaged', false],
  [{ code: '58030', severity: 'PANIC' }, 'unavailable', true],
  [{ code: '23505' }, undefined, false],
  [{ code: '42501' }, undefined, false],
]

for (const [fields, code, lost] of cases)
  it(`hears ${code ?? 'the error itself'} of ${JSON.stringify(fields)}`, () => {
    const error = thrown(fields)
    const fault = faultOf(error)
    assert.equal(isConnectionLost(error), lost)
    if (code === undefined) return assert.equal(fault, error)
    assert.ok(fault instanceof StoreFault)
    assert.equal(fault.code, code)
    assert.equal(fault.cause, error)
    assert.ok(!fault.message.includes('secret'))
    assert.equal(faultOf(fault), fault)
  })

it('takes a session that only reads for a full disk where the database is embedded', () => {
  assert.equal((faultOf(thrown({ code: '25006' }), 'full') as StoreFault).code, 'full')
})
