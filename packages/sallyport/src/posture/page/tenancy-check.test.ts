// What the page says of the audit of the database.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { PolicyDocument } from '../../guard/policy.ts'
import { factsIn } from './facts.ts'
import { createPosture } from './model.ts'
import { TENANCY_FILE } from './tenancy-check.ts'

const RECORD = {
  format: 'sallyport-tenancy-record/1',
  at: '2026-11-30T20:15:00.000Z',
  digest: `sha256:${'ab'.repeat(32)}`,
  tables: 12,
  findings: 0,
}

describe('the last audit of the database on the page', () => {
  async function said(policy: PolicyDocument, record?: unknown): Promise<string | undefined> {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-page-'))
    try {
      if (record !== undefined) writeFileSync(join(folder, TENANCY_FILE), JSON.stringify(record))
      const posture = await createPosture(policy, { place: 'gateway', now: 0, ...factsIn(folder) })
      const section = posture.sections.find(({ control }) => control === 'tenancy')
      return section?.entries.find(({ name }) => name === 'Last audit of the database')?.value
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  it('H2 says what was checked and when, else that nothing was', async () => {
    const declared = { tenancy: { enforcedBy: 'database' } } as const
    assert.equal(await said(declared), 'declared, not checked')
    assert.equal(
      await said(declared, RECORD),
      '2026-11-30 20:15 UTC: 12 tables, nothing found (schema abababababab)',
    )
    assert.match((await said(declared, { ...RECORD, tables: 1, findings: 2 })) ?? '', /1 table, 2 findings/)
  })

  it('H2 says nothing where the database is not what keeps tenants apart', async () => {
    assert.equal(await said({}, RECORD), undefined)
    assert.equal(await said({ tenancy: { enforcedBy: 'application' } }, RECORD), undefined)
  })

  it('a record that is none is named, with how to make one', async () => {
    for (const wrong of [
      {},
      null,
      { ...RECORD, at: 'now' },
      { ...RECORD, findings: -1 },
      { ...RECORD, digest: '<b>' },
    ])
      await assert.rejects(
        said({}, wrong),
        /^PolicyFileError: sallyport\.tenancy\.json: is no record of an audit; write it with/,
      )
  })
})
