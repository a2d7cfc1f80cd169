/* The memory of a call. All of it is asked for before any thread starts: where some is lacking, the call ends before it has begun. */

#include <sys/mman.h>

/* A block begins with where the one before it lies; what it is for comes a line of the cache later. */
typedef struct Block {
    struct Block *before;
} Block;

typedef struct {
    Block *last;
    size_t asked; /* bytes, also those that were not to be had */
    int lacking;
    long taken, small[256]; /* for short lists, so that a step of a stream asks the system for nothing */
} Memory;

/* Large pages, where the system has them on request: to touch megabytes for the first time costs as much as to compute with them. */
static void use_large_pages(void *memory, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    const uintptr_t page = 2 << 20, first = ((uintptr_t)memory + page - 1) / page * page, end = ((uintptr_t)memory + bytes) / page * page;
    if (end > first)
        madvise((void *)first, end - first, MADV_HUGEPAGE);
#else
    (void)memory, (void)bytes;
#endif
}

/* At least so many bytes, at the beginning of a line of the cache, and a line more, which may be read; NULL where there are none left. */
static void *reserve(Memory *memory, size_t bytes)
{
    void *found = NULL;
    const size_t line = 64, all = line + bytes + line;
    memory->asked += all;
    if (memory->lacking || posix_memalign(&found, all < (4 << 20) ? line : 2 << 20, all)) {
        memory->lacking = 1;
        return NULL;
    }
    use_large_pages(found, all);
    Block *block = found;
    block->before = memory->last;
    memory->last = block;
    return (char *)found + line;
}

/* Room for a list of `count` entries of at most 8 bytes, which may be none. */
static void *list(Memory *memory, long count)
{
    const long some = count + 1;
    if (memory->taken + some > (long)(sizeof memory->small / sizeof *memory->small))
        return reserve(memory, (size_t)some * sizeof *memory->small);
    memory->taken += some;
    return memory->small + memory->taken - some;
}

/* Give all back. Returns the bytes that were asked for where they were not to be had, else 0. */
static long give_back(Memory *memory)
{
    while (memory->last) {
        Block *block = memory->last;
        memory->last = block->before;
        free(block);
    }
    return memory->lacking ? (long)memory->asked : 0;
}
