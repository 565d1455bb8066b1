// How `cors` stands on the posture page.

import type { Resolved } from '../../guard/cell.ts'
import type { Entry, Section } from '../../guard/control.ts'
import { publicSuffixes } from '../../policy/public-suffix.ts'
import { sameForAll } from '../faces.ts'
import { isLoopback, isOriginFault, parseOrigin } from './origin.ts'
import { type CorsSetting, type FullCorsSetting, fullSetting, isOpen } from './setting.ts'

type Cells = readonly Resolved<CorsSetting>[]

export function describeCors(cells: Cells): Section {
  const entry = (
    name: string,
    valueIn: (full: FullCorsSetting, resolved: Resolved<CorsSetting>) => string | undefined,
    why: string,
  ): readonly Entry[] =>
    sameForAll(
      cells,
      name,
      (setting, resolved) => {
        const full = inForce(setting)
        return full && valueIn(full, resolved)
      },
      why,
    )
  // Method, header and age lists say nothing where nobody is granted anything.
  const granted =
    (value: (full: FullCorsSetting) => string | undefined) =>
    (full: FullCorsSetting, { cell }: Resolved<CorsSetting>) =>
      full.origins.length > 0 || isOpen(full, cell) ? value(full) : undefined
  return {
    control: 'cors',
    id: 'SP-CORS-01',
    title: 'Cross-origin requests',
    entries: [
      ...sameForAll(
        cells,
        'Cross-origin rules',
        (setting) => (inForce(setting) ? undefined : 'left to the application'),
        'The policy lists no origins here; whatever the application grants is granted.',
      ),
      ...entry(
        'Origins that may use cookies',
        (full) => full.origins.join(', ') || 'none',
        'Pages of these origins act with the session of their visitor: Access-Control-Allow-Origin repeats the origin, with Access-Control-Allow-Credentials: true.',
      ),
      ...entry(
        'Every other origin',
        (full, { cell }) =>
          isOpen(full, cell)
            ? 'Access-Control-Allow-Origin: *, never with credentials; its cookies are ignored'
            : 'no Access-Control line on any answer; a preflight gets 403 origin_not_allowed',
        'A page that brings its own bearer credential borrows nothing from its visitor; one that would need the visitor’s cookies is refused. The origin "null" is among the others.',
      ),
      ...entry(
        'Access-Control-Allow-Methods',
        granted((full) => full.allowMethods.join(', ') || 'none beyond GET, HEAD and POST'),
        'A preflight always gets the whole list; the browser compares.',
      ),
      ...entry(
        'Access-Control-Allow-Headers',
        granted((full) => full.allowHeaders.join(', ') || 'none beyond those of plain forms'),
        'The request headers that a page may set.',
      ),
      ...entry(
        'Access-Control-Expose-Headers',
        granted((full) => full.exposeHeaders.join(', ') || 'none beyond the seven safe ones'),
        'The response headers that a page may read.',
      ),
      ...entry(
        'Access-Control-Max-Age',
        granted((full) => `${full.maxAgeSeconds} seconds`),
        'How long a browser may keep a preflight answer, and so a permission that has been withdrawn.',
      ),
      ...entry(
        'Vary: Origin',
        (full) => (full.origins.length > 0 ? 'on every answer, refusals included' : undefined),
        'A shared cache never gives the answer for one origin to another.',
      ),
    ],
    limits: limits(cells),
  }
}

// A control in mode `off` does nothing, in mode `report` it only counts.
function inForce(setting: CorsSetting): FullCorsSetting | undefined {
  return (setting.mode ?? 'enforce') === 'enforce' ? fullSetting(setting) : undefined
}

function limits(cells: Cells): readonly string[] {
  const listed = [...new Set(cells.flatMap(({ setting }) => inForce(setting)?.origins ?? []))]
  const origins = listed.flatMap((text) => {
    const origin = parseOrigin(text)
    return isOriginFault(origin) ? [] : [origin]
  })
  const local = origins.filter(({ host }) => isLoopback(host)).map(({ text }) => text)
  return [
    'These rules are kept by browsers: they say which pages may read an answer. They neither keep programs out nor stop a page from sending a plain form; credentials and the forgery control do.',
    ...(cells.some(({ setting }) => (setting.mode ?? 'enforce') !== 'enforce')
      ? [
          'Where this control is off or only reports, nobody checks which page opens a WebSocket: any page can, with the cookies of its visitor, unless the application refuses it.',
        ]
      : []),
    ...(origins.length > 0
      ? [
          'A listed origin is trusted whole: whoever can run a script there acts with the cookies of its visitors.',
        ]
      : []),
    ...(origins.some(({ isPattern }) => isPattern)
      ? [
          `Patterns cover every subdomain, also one that somebody takes over. They are checked against the public suffix list of ${publicSuffixes()?.date}.`,
        ]
      : []),
    ...(local.length > 0 ? [`Origins of the developer’s own machine are listed: ${local.join(', ')}.`] : []),
  ]
}
