/* Packed matrices: whether there are any, where they lie, and how they are filled. Those of a call without gradients may outlive it. */

/* Whether a call of so many slots is to pack any matrix: packing takes as long as about 40 rows do. Only packed weights are narrow. */
static __attribute__((unused)) int worth_packing_some(long slots)
{
#ifdef NARROW
    (void)slots;
    return 1;
#else
    return slots > 40;
#endif
}

/* Whether matrices that meet all steps at once, or one step after the other, are to be packed. With one row in the loop every weight is read
   once a step, however it lies; in tiles of more rows packed ones are up to twice as fast. */
static __attribute__((unused)) int worth_packing(const Run *run, int all_at_once)
{
    return worth_packing_some(run->slots) && (all_at_once || run->call->batch > 1 || sizeof(weight) < sizeof(real));
}

/* Bytes up to the end of a line of the cache. */
#define LINES(bytes) (((size_t)(bytes) + 63) / 64 * 64)

static __attribute__((unused)) size_t panel_room(long gates, long units, long depth)
{
    return LINES((size_t)(gates * units * depth) * sizeof(real)) + LINES((size_t)(gates * PADDED(units) * depth) * sizeof(weight));
}

/* Give matrices room to be packed, if that is wanted: in `*kept`, where it is not NULL, and then the next ones' room is behind it. */
static __attribute__((unused)) void lay_panel(Run *run, int panel, int wanted, char **kept, long gates, long units, long depth)
{
    if (*kept) {
        run->seen[panel] = (real *)*kept;
        if (wanted)
            run->panel[panel] = (weight *)(*kept + LINES((size_t)(gates * units * depth) * sizeof(real)));
        *kept += panel_room(gates, units, depth);
    } else if (wanted)
        run->panel[panel] = reserve(&run->memory, (size_t)(gates * PADDED(units) * depth) * sizeof(weight));
}

/* Whether rows are what they were, number for number, when they were packed last. If not, they are remembered as they are now. */
static __attribute__((unused)) int are_known(real *seen, const real *rows, long count)
{
    const size_t bytes = (size_t)count * sizeof(real);
    if (!memcmp(seen, rows, bytes))
        return 1;
    memcpy(seen, rows, bytes);
    return 0;
}

/* Panels of matrices [units, depth], whose outputs are computed side by side: block, input, matrix, unit. Where panels are kept, `seen` has
   what they were made of; only what differs from it is packed, and from there: so they agree even if somebody writes to the matrices now. */
static __attribute__((unused)) void pack(weight *packed, real *seen, const real *const *matrices, long gates, long units, long depth,
                                         long wide, long part, long parts)
{
    FOR_BLOCKS(units, wide, part, parts)
    {
        weight *panel = packed + first * gates * depth;
        const long row = gates * vectors * LANES;
        for (long g = 0; g < gates; g++) {
            const real *rows = matrices[g] + first * depth;
            real *known = seen ? seen + (g * units + first) * depth : NULL;
            if (known && are_known(known, rows, LEAST(vectors * LANES, units - first) * depth))
                continue;
            for (long u = 0; u < vectors * LANES; u += 8)
                for (long k = 0; k < depth; k += 16)
                    for (long l = u; l < u + 8 && l < vectors * LANES; l++) {
                        weight *to = panel + k * row + g * vectors * LANES + l;
                        const real *from = (known ? known : rows) + l * depth + k;
                        const long some = LEAST(16L, depth - k);
                        if (first + l < units)
                            for (long i = 0; i < some; i++)
                                to[i * row] = narrowed(from[i]);
                        else
                            for (long i = 0; i < some; i++)
                                to[i * row] = 0;
                    }
        }
    }
}

/* Panels of transposed matrices, one after the other: the outputs are the columns, the inputs the rows of all. */
static __attribute__((unused)) void pack_transposed(weight *packed, const real *const *matrices, const long *rows, long count, long units,
                                                    long depth, long wide, long part, long parts)
{
    FOR_BLOCKS(units, wide, part, parts)
    {
        weight *to = packed + first * depth;
        const long some = LEAST(vectors * LANES, units - first);
        for (long m = 0; m < count; m++)
            for (long k = 0; k < rows[m]; k++, to += vectors * LANES) {
                for (long l = 0; l < some; l++)
                    to[l] = narrowed(matrices[m][k * units + first + l]);
                for (long l = some; l < vectors * LANES; l++)
                    to[l] = 0;
            }
    }
}
