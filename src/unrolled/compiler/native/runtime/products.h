/* Products of rows with packed matrices. A packed matrix is a panel for each block of outputs: for one input after the other the weights
   of all the block's outputs, so that a tile of rows times outputs stays in registers while it reads through the panel once. */

/* The vectors of outputs that a tile takes at once. With few registers, four of them would leave none for what is multiplied. */
#if SUMS < 24
#define AT_ONCE(columns) ((columns) > 2 && (columns) % 2 == 0 ? 2 : (columns))
#else
#define AT_ONCE(columns) (columns)
#endif

/* The rows of a tile with `columns` vectors of outputs, and the most rows that a stage takes at once. */
#define TALL(columns) (SUMS / AT_ONCE(columns) > 8 ? 8 : SUMS / AT_ONCE(columns))
#define MOST_ROWS 96

/* How much of a panel is used on all rows before the next part, so that it stays in the second cache. */
#define DEPTH 512

/* sum = from[row][first .. first + depth] @ panel, in registers; added to what was there unless that is to be forgotten. */
#define TILE(rows, columns)                                                                                                            \
    static void tile_##rows##_##columns(vec *sum, const real *const *from, long first, long depth, const weight *panel, int fresh)     \
    {                                                                                                                                  \
        const real *row[rows];                                                                                                         \
        UNROLL for (int r = 0; r < rows; r++) row[r] = from[r] + first;                                                                \
        for (int some = 0; some < columns; some += AT_ONCE(columns), sum += AT_ONCE(columns)) {                                        \
            vec total[rows][AT_ONCE(columns)];                                                                                         \
            const weight *next = panel + some * LANES;                                                                                 \
            UNROLL for (int r = 0; r < rows; r++)                                                                                      \
                UNROLL for (int c = 0; c < AT_ONCE(columns); c++) total[r][c] = fresh ? splat(0) : sum[r * columns + c];               \
            for (long k = 0; k < depth; k++, next += columns * LANES) {                                                                \
                vec weights[AT_ONCE(columns)];                                                                                         \
                UNROLL for (int c = 0; c < AT_ONCE(columns); c++) weights[c] = load_weights(next + c * LANES);                         \
                UNROLL for (int r = 0; r < rows; r++)                                                                                  \
                {                                                                                                                      \
                    const vec a = splat(row[r][k]);                                                                                    \
                    UNROLL for (int c = 0; c < AT_ONCE(columns); c++) total[r][c] += a * weights[c];                                   \
                }                                                                                                                      \
            }                                                                                                                          \
            UNROLL for (int r = 0; r < rows; r++)                                                                                      \
                UNROLL for (int c = 0; c < AT_ONCE(columns); c++) sum[r * columns + c] = total[r][c];                                  \
        }                                                                                                                              \
    }

#define CALL_TILE(rows, columns)                                                                                                       \
    case rows:                                                                                                                         \
        if (rows <= TALL(columns))                                                                                                     \
            tile_##rows##_##columns(to, from + done, first, depth, panel, fresh);                                                      \
        break;

/* The same for any number of rows, in tiles of nearly equal height. */
#define ROWS_TIMES_PANEL(columns)                                                                                                      \
    TILE(1, columns) TILE(2, columns) TILE(3, columns) TILE(4, columns) TILE(5, columns) TILE(6, columns) TILE(7, columns)             \
    TILE(8, columns)                                                                                                                   \
    static void rows_times_panel_##columns(vec *sum, const real *const *from, long rows, long first, long depth, const weight *panel,  \
                                           int fresh)                                                                                  \
    {                                                                                                                                  \
        for (long done = 0, left = (rows + TALL(columns) - 1) / TALL(columns); left > 0; left--) {                                     \
            const long some = (rows - done + left - 1) / left;                                                                         \
            vec *to = sum + done * columns;                                                                                            \
            switch (some) {                                                                                                            \
                CALL_TILE(1, columns)                                                                                                  \
                CALL_TILE(2, columns)                                                                                                  \
                CALL_TILE(3, columns)                                                                                                  \
                CALL_TILE(4, columns)                                                                                                  \
                CALL_TILE(5, columns)                                                                                                  \
                CALL_TILE(6, columns)                                                                                                  \
                CALL_TILE(7, columns)                                                                                                  \
                CALL_TILE(8, columns)                                                                                                  \
            }                                                                                                                          \
            done += some;                                                                                                              \
        }                                                                                                                              \
    }

/* Whole columns instead of products: row r reads the weights of input number `which[r]`. */
static __attribute__((unused)) void look_up(vec *sum, long columns, const int64_t *which, long rows, const weight *panel)
{
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++)
            sum[r * columns + c] = load_weights(panel + (which[r] * columns + c) * LANES);
}

/* The same from matrices that are not packed, where packing all would be more work than reading some. */
static __attribute__((unused)) void gather(vec *sum, long gates, long vectors, const int64_t *which, long rows,
                                           const real *const *matrices, long depth, long first, long units)
{
    for (long r = 0; r < rows; r++)
        for (long g = 0; g < gates; g++)
            for (long v = 0; v < vectors; v++) {
                vec column = splat(0);
                for (long l = 0; l < LANES && first + v * LANES + l < units; l++)
                    column[l] = rounded(matrices[g][(first + v * LANES + l) * depth + which[r]]);
                sum[(r * gates + g) * vectors + v] = column;
            }
}

/* The blocks of outputs that one of `parts` threads takes: `wide` vectors each, the last one fewer. */
#define FOR_BLOCKS(units, wide, part, parts)                                                                                           \
    for (long blocks_ = (PADDED(units) / LANES + (wide) - 1) / (wide), block_ = blocks_ * (part) / (parts),                            \
              end_ = blocks_ * ((part) + 1) / (parts);                                                                                 \
         block_ < end_; block_++)                                                                                                      \
        for (long first = block_ * (wide) * LANES, once_ = 1,                                                                          \
                  vectors __attribute__((unused)) = LEAST((long)(wide), PADDED(units) / LANES - block_ * (wide));                      \
             once_; once_ = 0)

/* The places of rows that follow one another at a distance. */
static __attribute__((unused)) void point(const real **rows, const real *from, long distance, long count)
{
    for (long r = 0; r < count; r++)
        rows[r] = from + r * distance;
}
