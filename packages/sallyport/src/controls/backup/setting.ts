// `backup`: how often the records are backed up and how many backups are kept, and what is declared of the disks below and
// of point-in-time recovery. A gateway keeps the schedule; a declaration is only as good as its evidence.

import { MODES } from '../../guard/control.ts'
import type { PolicyProblem } from '../../policy/problem.ts'
import { type Infer, integer, object, oneOf, problem, text } from '../../policy/schema.ts'

const by = (example: string) =>
  text(
    {
      max: 200,
      pattern: /^\S[^\n]*$/,
      expected: 'what does it, on one line',
      mend: `write such as "${example}"`,
    },
    'What does it.',
  )

const evidence = text(
  {
    max: 500,
    pattern: /^\S[^\n]*$/,
    expected: 'a URL or the name of a document',
    mend: 'write where a reviewer finds it, such as "https://docs.example.com/disks"',
  },
  'Where a reviewer finds that it is so: a URL, or the name of a document.',
)

export const backupSchema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    everySeconds: integer(
      { min: 300, max: 2_678_400, example: 86_400 },
      'How often a backup of the records is made and proved, in seconds.',
    ),
    keep: integer({ min: 1, max: 1_000, example: 7 }, 'How many proved backups are kept; 7.'),
    encryptionAtRest: object(
      { by: by('LUKS'), evidence },
      'That the disks of the records are encrypted: declared, since nobody outside can see it.',
    ),
    pointInTime: object(
      {
        by: by('PostgreSQL: archived WAL and a weekly base backup'),
        evidence,
        reachDays: integer({ min: 1, max: 3_650, example: 14 }, 'How far back, in days.'),
      },
      'That the database can be brought back to any moment: declared; `sallyport backup check` looks at a server.',
    ),
  },
  'Backups of the records, and what is declared of where they lie.',
)

export type BackupSetting = Infer<typeof backupSchema>

export const backupDefaults: BackupSetting = {}

/** How many are kept where nothing is said. */
export const KEEP = 7

export function backupContradictions(setting: BackupSetting): readonly PolicyProblem[] {
  const { everySeconds, keep, encryptionAtRest, pointInTime } = setting
  const problems: PolicyProblem[] = []
  if (keep !== undefined && everySeconds === undefined)
    problems.push(
      problem(
        'keep',
        'contradiction',
        'this says how many backups are kept, but none is made',
        keep,
        'set everySeconds to 86400',
      ),
    )
  for (const [name, declared] of Object.entries({ encryptionAtRest, pointInTime }))
    if (declared !== undefined && declared.by === undefined)
      problems.push(
        problem(
          name,
          'missing',
          'a declaration that does not say what does it',
          declared,
          'write by: "…", or leave it out',
        ),
      )
  return problems
}
