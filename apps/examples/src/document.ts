// What `parallel-documents` runs on worker threads: an ordinary module, which works on the main thread as well.

export interface Analysis {
  readonly words: number;
  /** The most frequent words, most frequent first, at most three. */
  readonly top: readonly string[];
  readonly wordsPerSentence: number;
}

export function analyse(text: string): Analysis {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const sentences = text.match(/[^.!?]+/g)?.filter((sentence) => sentence.trim() !== '') ?? [];
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const top = [...counts].sort(([, a], [, b]) => b - a).slice(0, 3);
  return {
    words: words.length,
    top: top.map(([word]) => word),
    wordsPerSentence: Math.round((10 * words.length) / Math.max(1, sentences.length)) / 10,
  };
}
