/** Numbers from one task to another through a TransformStream that so many may wait in. */
export async function throughTransform(numbers: readonly number[], capacity: number): Promise<number> {
  const { readable, writable } = new TransformStream<number, number>({}, { highWaterMark: capacity });
  const total = summed(readable);
  const writer = writable.getWriter();
  for (const number of numbers) {
    await writer.ready;
    writer.write(number);
  }
  await writer.close();
  return total;
}

async function summed(readable: ReadableStream<number>): Promise<number> {
  let total = 0;
  for await (const number of readable) total += number;
  return total;
}
