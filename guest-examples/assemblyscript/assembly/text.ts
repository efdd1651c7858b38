/** UTF-8 that grows, in memory that the collector does not know. */
export class Text {
  start: usize = 0;
  length: usize = 0;
  private capacity: usize = 0;

  /** Appends what stands from `from` to `to`. */
  append(from: usize, to: usize): void {
    const size = to - from;
    this.reserve(size);
    memory.copy(this.start + this.length, from, size);
    this.length += size;
  }

  /** Makes room for so many more bytes. */
  private reserve(size: usize): void {
    const needed = this.length + size;
    if (needed <= this.capacity) return;
    this.capacity = max(needed, this.capacity * 2);
    this.start =
      this.start == 0 ? heap.alloc(this.capacity) : heap.realloc(this.start, this.capacity);
  }

  static free(start: usize): void {
    if (start != 0) heap.free(start);
  }
}
