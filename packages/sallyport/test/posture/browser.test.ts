// The page in a real browser: no violation that axe knows, no style blocked by its own policy, and on paper no cell that
// is clipped and every table's head on each of its pages.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createServer } from '../../src/adapters/node/index.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { createPosture, postureHtml } from '../../src/posture/page/index.ts'
import { hasChromium, openTab, type Tab } from '../browser/chromium.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const POLICY: PolicyDocument = {
  extends: ['api', 'recommended'],
  name: 'Driftstack',
  disclosure: { posture: 'public' },
  cors: { origins: ['https://app.driftstack.dev'] },
}
const skip = hasChromium() ? false : 'Chromium is missing: apt-get install chromium'
const withoutPdftotext =
  spawnSync('sh', ['-c', 'command -v pdftotext'], { stdio: 'ignore' }).status === 0
    ? false
    : 'pdftotext is missing: apt-get install poppler-utils'

describe('the posture page in Chromium', { skip, timeout: 60_000 }, () => {
  let tab: Tab
  let work: string
  const server = createServer(POLICY, (_request, response) => response.end('app'))
  before(async () => {
    work = mkdtempSync(join(tmpdir(), 'sallyport-posture-'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    tab = await openTab()
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/.well-known/posture`)
  })
  after(async () => {
    await tab?.close()
    server.close()
    server.closeAllConnections()
    rmSync(work, { recursive: true, force: true })
  })

  it('its own Content-Security-Policy lets its style through', async () => {
    assert.match(
      String(await tab.evaluate('getComputedStyle(document.querySelector("table")).borderCollapse')),
      /collapse/,
    )
  })

  it('axe finds nothing, in light and in dark', async () => {
    for (const scheme of ['light', 'dark']) {
      await tab.call('Emulation.setEmulatedMedia', {
        features: [{ name: 'prefers-color-scheme', value: scheme }],
      })
      await tab.evaluate(AXE)
      const found = await tab.evaluate(
        'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => JSON.stringify(violations.map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html }) => html)])))',
      )
      assert.equal(found, '[]', scheme)
    }
  })

  it('no cell is clipped on paper or on a telephone', async () => {
    for (const [media, width] of [
      ['print', 688],
      ['screen', 360],
    ] as const) {
      await tab.call('Emulation.setEmulatedMedia', { media })
      await tab.call('Emulation.setDeviceMetricsOverride', {
        width,
        height: 1_000,
        deviceScaleFactor: 1,
        mobile: false,
      })
      const clipped = await tab.evaluate(
        'JSON.stringify([...document.querySelectorAll("td,th,pre,dd")].filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.textContent.slice(0, 60)))',
      )
      assert.equal(clipped, '[]', media)
      const overflow = await tab.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      )
      assert.equal(overflow, 0, media)
    }
  })

  it('on A4 every page that a table goes on to begins with its head', {
    skip: withoutPdftotext,
  }, async () => {
    await tab.call('Emulation.clearDeviceMetricsOverride')
    await tab.call('Emulation.setEmulatedMedia', { media: '' })
    const { data } = (await tab.call('Page.printToPDF', { preferCSSPageSize: true })) as { data: string }
    const text = execFileSync('pdftotext', ['-layout', '-', '-'], {
      input: Buffer.from(data, 'base64'),
      encoding: 'utf8',
    })
    const pages = text.split('\f').filter((page) => page.trim() !== '')
    assert.ok(pages.length > 3, `${pages.length} pages`)
    // The table of what is left out, and that of the standards, are longer than a page's rest.
    const html = postureHtml(await createPosture(POLICY, { place: 'node', now: Date.now() }))
    const framework = /OWASP ASVS/
    assert.match(html, framework)
    const spread = pages.filter((page) => framework.test(page) || /NIST SP 800-53/.test(page))
    for (const page of spread) assert.match(page, /Framework\s+Control\s+Supports/)
  })
})
