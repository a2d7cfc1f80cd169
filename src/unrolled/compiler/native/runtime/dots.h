/* Products of rows with matrices as they lie: where weights are read about once, that is as fast as reading packed ones, and nothing has to
   be packed before. Some rows and some units make a tile of sums, whose lanes hold every LANES-th part of the depth; in the end they are
   added up. */

/* The units and the most rows of a tile. */
#define DOT_UNITS(rows) (LANES < 4 ? LANES : LANES < 8 || 8 * (rows) > SUMS ? 4 : 8)
#define DOT_ROWS (SUMS < 16 ? 3 : 4)

/* A constant to the compiler, as the orders made of it have to be. */
static const mask lane_number = {
    0, 1,
#if BYTES >= 32 || !defined DOUBLE
    2, 3,
#endif
#if BYTES == 64 || (BYTES == 32 && !defined DOUBLE)
    4, 5, 6, 7,
#endif
#if BYTES == 64 && !defined DOUBLE
    8, 9, 10, 11, 12, 13, 14, 15,
#endif
};

/* Set in the lanes from `first` up to before `end`. */
INLINE mask lanes_between(long first, long end)
{
    return (lane_number >= (whole)first) & (lane_number < (whole)end);
}

/* Lane l of `a`, or of `b` where l has the bit `by`; lane l ^ by in place of l if `turned`. */
INLINE vec pick(vec a, vec b, int by, int turned)
{
#ifdef __clang__
    vec picked;
    for (int l = 0; l < LANES; l++)
        picked[l] = (l & by ? b : a)[turned ? l ^ by : l];
    return picked;
#else
    return __builtin_shuffle(a, b, (turned ? lane_number ^ by : lane_number) + (((lane_number & by) != 0) & (whole)LANES));
#endif
}

/* Neighbours whose numbers differ by the bit `by`, added up: of `a` where a lane has it not, else of `b`. */
INLINE vec merge(vec a, vec b, int by)
{
    return pick(a, b, by, 0) + pick(a, b, by, 1);
}

INLINE vec merge_four(const vec *sum)
{
    return merge(merge(sum[0], sum[1], 1), merge(sum[2], sum[3], 1), 2);
}

/* The lanes of each of `count` vectors added up: lane number i, i + count, ... has the sum of vector i. */
INLINE vec add_lanes(const vec *sum, int count)
{
    vec total = count == 8   ? merge(merge_four(sum), merge_four(sum + count - 4), 4)
                : count == 4 ? merge_four(sum)
                             : merge(sum[0], sum[1], 1);
    if (count < 8 && LANES > 4)
        total += pick(total, total, 4, 1);
    return LANES > 8 ? total + pick(total, total, 8, 1) : total;
}

/* The last numbers of a row behind lanes of 0, without reading past its ends. */
INLINE vec load_rest(const real *row, long depth, mask rest)
{
    return depth < LANES ? load_some(row, depth) : (vec)((mask)load(row + depth - LANES) & rest);
}

/* The sums of some rows and of DOT_UNITS units, in place of units past `last` those of `last`; total[row] repeats them. */
#define DOTS(rows)                                                                                                                     \
    static void dots_##rows(vec *total, const real *const *from, const real *matrix, long depth, long last)                            \
    {                                                                                                                                  \
        const real *unit[DOT_UNITS(rows)];                                                                                             \
        vec sum[rows][DOT_UNITS(rows)];                                                                                                \
        UNROLL for (int u = 0; u < DOT_UNITS(rows); u++)                                                                               \
        {                                                                                                                              \
            unit[u] = u ? unit[u - 1] + (u <= last ? depth : 0) : matrix;                                                              \
            UNROLL for (int r = 0; r < rows; r++) sum[r][u] = splat(0);                                                                \
        }                                                                                                                              \
        for (long k = 0; k + LANES <= depth; k += LANES) {                                                                             \
            vec a[rows];                                                                                                               \
            UNROLL for (int r = 0; r < rows; r++) a[r] = load(from[r] + k);                                                            \
            UNROLL for (int u = 0; u < DOT_UNITS(rows); u++)                                                                           \
            {                                                                                                                          \
                const vec weights = load(unit[u] + k);                                                                                 \
                UNROLL for (int r = 0; r < rows; r++) sum[r][u] += a[r] * weights;                                                     \
            }                                                                                                                          \
        }                                                                                                                              \
        if (depth % LANES) {                                                                                                           \
            const mask rest = lanes_between(LANES - depth % LANES, LANES);                                                             \
            vec a[rows];                                                                                                               \
            UNROLL for (int r = 0; r < rows; r++) a[r] = load_rest(from[r], depth, rest);                                              \
            UNROLL for (int u = 0; u < DOT_UNITS(rows); u++)                                                                           \
            {                                                                                                                          \
                const vec weights = load_rest(unit[u], depth, rest);                                                                   \
                UNROLL for (int r = 0; r < rows; r++) sum[r][u] += a[r] * weights;                                                     \
            }                                                                                                                          \
        }                                                                                                                              \
        UNROLL for (int r = 0; r < rows; r++) total[r] = add_lanes(sum[r], DOT_UNITS(rows));                                           \
    }
DOTS(1)
DOTS(2)
DOTS(3)
DOTS(4)

INLINE void dots(vec *total, const real *const *from, long rows, const real *matrix, long depth, long last)
{
    if (rows == 1)
        dots_1(total, from, matrix, depth, last);
    else if (rows == 2)
        dots_2(total, from, matrix, depth, last);
    else if (rows == 3)
        dots_3(total, from, matrix, depth, last);
    else
        dots_4(total, from, matrix, depth, last);
}

/* A vector of units for each row, `distance` vectors apart; 0 where there are no more units. */
static __attribute__((unused)) void rows_times_units(vec *sum, long distance, const real *const *from, long rows, const real *matrix,
                                                     long depth, long units)
{
    for (long done = 0, some; done < rows; done += some) {
        vec total[DOT_ROWS];
        some = LEAST((long)DOT_ROWS, rows - done);
        vec *to = sum + done * distance;
        for (long r = 0; r < some; r++)
            to[r * distance] = splat(0);
        for (long u = 0; u < LEAST(LANES, units); u += DOT_UNITS(some)) {
            dots(total, from + done, some, matrix + u * depth, depth, units - u - 1);
            const mask here = lanes_between(u, LEAST(u + DOT_UNITS(some), units));
            for (long r = 0; r < some; r++)
                to[r * distance] = choose(here, total[r], to[r * distance]);
        }
    }
}
