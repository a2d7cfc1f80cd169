/* Products for a stage, of rows anywhere and of columns of the tape. */

/* Matrices [units, depth] that are applied to one operand; `panel` is where they lie packed, NULL where they are read as they lie. */
typedef struct {
    const weight *panel;
    long gates, units, depth;
    const real *matrix[MOST_GATES];
} Maps;

static __attribute__((unused)) void rows_times_panel(long columns, vec *sum, const real *const *from, long rows, long depth,
                                                     const weight *panel, int fresh)
{
    for (long k = 0; k < depth; k += DEPTH, fresh = 0)
        some_times_panel(columns, sum, from, rows, k, LEAST((long)DEPTH, depth - k), panel + k * columns * LANES, fresh);
}

/* What rows make with the units of a block: [row][matrix][vector]. */
static __attribute__((unused)) void rows_times_maps(vec *sum, const real *const *from, long rows, const Maps *maps, long first, long vectors)
{
    const long columns = maps->gates * vectors;
    if (maps->panel) {
        rows_times_panel(columns, sum, from, rows, maps->depth, maps->panel + first * maps->gates * maps->depth, 1);
        return;
    }
    for (long c = 0; c < columns; c++) {
        const long unit = first + c % vectors * LANES;
        rows_times_units(sum + c, columns, from, rows, maps->matrix[c / vectors] + unit * maps->depth, maps->depth, maps->units - unit);
    }
}

/* What the row at hand makes with one of the matrices that are applied to something, for the vector of units at hand. */
#define SUM(what, product) sums_##what[(row * GATES_##what + GATE_##product) * vectors + vector]

/* The same where each row is a number, which looks a column up. Few are read from the matrices: packing them all would be more work. */
static __attribute__((unused)) void numbers_times_maps(vec *sum, const int64_t *which, long rows, const Maps *maps, long first, long vectors)
{
    if (maps->panel)
        look_up(sum, maps->gates * vectors, which, rows, maps->panel + first * maps->gates * maps->depth);
    else
        gather(sum, maps->gates, vectors, which, rows, maps->matrix, maps->depth, first, maps->units);
}

/* The panel has the inputs of all columns one after the other; columns that lie so on the tape are read as one. */
static __attribute__((unused)) void tape_times_panel(long columns, vec *sum, const real *tape, long stride, long rows, long count,
                                                     const long *column, const long *depth, const weight *panels, long first)
{
    const real *from[MOST_ROWS];
    const weight *panel = panels;
    for (long i = 0; i < count; i++)
        panel += first * depth[i];
    for (long i = 0, next; i < count; i = next) {
        long joined = depth[i];
        for (next = i + 1; next < count && column[next] == column[next - 1] + depth[next - 1]; next++)
            joined += depth[next];
        point(from, tape + column[i], stride, rows);
        rows_times_panel(columns, sum, from, rows, joined, panel, i == 0);
        panel += joined * columns * LANES;
    }
}

/* Have columns of the tape, and rows anywhere, brought into the first cache. */
INLINE void fetch(const real *tape, long stride, long rows, long vectors, long count, const long *column)
{
    for (long row = 0; row < rows; row++)
        for (long i = 0; i < count; i++)
            for (long v = 0; v < vectors; v++)
                __builtin_prefetch(tape + row * stride + column[i] + v * LANES, 1);
}

INLINE void fetch_rows(const real *const *from, long rows, long first, long vectors)
{
    for (long row = 0; row < rows; row++)
        for (long v = 0; v < vectors; v++)
            __builtin_prefetch(from[row] + first + v * LANES);
}

static __attribute__((unused)) void row_sums(real *sums, const real *const *from, long rows, long units)
{
    for (long r = 0; r < rows; r++) {
        double sum = 0;
        for (long u = 0; u < units; u++)
            sum += from[r][u];
        sums[r] = (real)sum;
    }
}

static __attribute__((unused)) void row_means(real *means, const real *const *from, long rows, long units)
{
    for (long r = 0; r < rows; r++) {
        double sum = 0;
        for (long u = 0; u < units; u++)
            sum += from[r][u];
        means[r] = (real)(sum / (double)units);
    }
}

/* The largest unit of each row, NaN if one is. */
static __attribute__((unused)) void row_largest(real *largest, const real *const *from, long rows, long units)
{
    for (long r = 0; r < rows; r++) {
        largest[r] = from[r][0];
        for (long u = 1; u < units; u++)
            if (!(from[r][u] <= largest[r]) && largest[r] == largest[r])
                largest[r] = from[r][u];
    }
}
