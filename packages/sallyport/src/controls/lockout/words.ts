// Times in words.

const UNITS = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
] as const

/** `10 minutes`; seconds where it is no whole number of anything longer. */
export function durationWords(seconds: number): string {
  for (const [size, word] of UNITS)
    if (seconds >= size && seconds % size === 0) return counted(seconds / size, word)
  return counted(seconds, 'second')
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
