/* Runs one function of a kernel on memory that comes in a file, and writes that memory back: see processors.py.

   The file: how many blocks, the number of the function, five arguments, then for each block its address at home and its bytes, then what
   the blocks hold. The first block is a list of numbers. Those of them, and of the arguments, that point into a block are moved along. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef long Function(long, long, long, long, long);
#define FUNCTION(name) Function name;
FUNCTIONS
#undef FUNCTION
#define FUNCTION(name) name,
static Function *const functions[] = {FUNCTIONS};

#ifdef _OPENMP
#include <omp.h>
void GOMP_parallel(void (*task)(void *), void *data, unsigned threads, unsigned flags);
#endif

typedef struct {
    int64_t home, bytes;
    char *here;
} Block;

static void must(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s\n", what);
        exit(2);
    }
}

static int64_t moved(const Block *blocks, long count, int64_t number)
{
    for (long b = 0; b < count; b++)
        if (number >= blocks[b].home && number < blocks[b].home + blocks[b].bytes)
            return (int64_t)(blocks[b].here + (number - blocks[b].home));
    must(number < (int64_t)1 << 32, "an address that is in no block");
    return number;
}

int main(int count, char **arguments)
{
#ifdef KERNEL
    if (count == 1)
        return printf("%ld %ld\n", lanes(0, 0, 0, 0, 0), most_rows(0, 0, 0, 0, 0)) < 0;
#ifdef _OPENMP
    use_threads((long)GOMP_parallel, (long)omp_get_thread_num, (long)omp_get_num_threads, 0, 0);
#endif
#endif
    must(count == 3, "two files are wanted");
    FILE *file = fopen(arguments[1], "rb");
    int64_t head[7];
    must(file && fread(head, 8, 7, file) == 7, "no head");
    Block *blocks = calloc((size_t)head[0], sizeof *blocks);
    for (long b = 0; b < head[0]; b++)
        must(fread(blocks + b, 8, 2, file) == 2, "no list of blocks");
    for (long b = 0; b < head[0]; b++) {
        must(!posix_memalign((void **)&blocks[b].here, 64, (size_t)blocks[b].bytes), "no memory");
        must(fread(blocks[b].here, 1, (size_t)blocks[b].bytes, file) == (size_t)blocks[b].bytes, "a block is short");
    }
    fclose(file);
    int64_t *table = (int64_t *)blocks[0].here, a[5];
    for (long n = 0; n < blocks[0].bytes / 8; n++)
        table[n] = moved(blocks, head[0], table[n]);
    for (int n = 0; n < 5; n++)
        a[n] = moved(blocks, head[0], head[2 + n]);
    functions[head[1]](a[0], a[1], a[2], a[3], a[4]);
    file = fopen(arguments[2], "wb");
    for (long b = 1; file && b < head[0]; b++)
        fwrite(blocks[b].here, 1, (size_t)blocks[b].bytes, file);
    must(file && !fclose(file), "nothing can be written");
    return 0;
}
