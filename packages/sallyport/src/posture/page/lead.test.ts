// The first sentence of the page says no more than the policy keeps.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyDocument } from '../../guard/policy.ts'
import { createPosture, postureHtml, postureMarkdown } from './index.ts'

test('the page says that everything is enforced only where nothing is counted or off', async () => {
  for (const [policy, wanted] of [
    [{ extends: 'recommended' }, /Every value below is enforced as it stands here\./],
    [
      { extends: 'recommended', routes: { '/v1/old': { headers: { mode: 'report' } } } },
      /save where its section says (?:"|&quot;)counted, not enforced(?:"|&quot;)\./,
    ],
    [
      { extends: 'recommended', headers: { mode: 'off' }, errors: { mode: 'report' } },
      /(?:"|&quot;)counted, not enforced(?:"|&quot;) or (?:"|&quot;)off(?:"|&quot;)\./,
    ],
  ] as const satisfies readonly (readonly [PolicyDocument, RegExp])[]) {
    const posture = await createPosture(policy, { place: 'gateway', now: 0 })
    for (const text of [postureHtml(posture), postureMarkdown(posture)]) {
      assert.match(text, wanted)
      if (wanted.source.startsWith('Every')) continue
      assert.doesNotMatch(text, /Every value below is enforced/)
    }
  }
})
