/* Gradients of matrices: outer products of what flowed back to a product and what it had read, summed over all steps and sequences. */

#define OUTER_WIDE 3
#define OUTER_TALL (SUMS / OUTER_WIDE)
#define OUTER_STEPS 192
#define OUTER_PANELS 12
#define OUTER_AHEAD 8

/* A matrix's gradient [units, size of the operand]; what flowed back to it lies in the tape's rows, from `column` on. */
typedef struct {
    real *out;
    long column, units;
} Outer;

/* tall[step][unit] times wide[step][input], summed over steps, in registers. */
#define OUTER_TILE(vectors)                                                                                                            \
    static void outer_tile_##vectors(vec (*sum)[OUTER_WIDE], const real *tall, const real *wide, long steps)                           \
    {                                                                                                                                  \
        vec total[OUTER_TALL][vectors];                                                                                                \
        UNROLL for (int r = 0; r < OUTER_TALL; r++) UNROLL for (int c = 0; c < vectors; c++) total[r][c] = splat(0);                   \
        for (long k = 0; k < steps; k++, tall += OUTER_TALL, wide += vectors * LANES) {                                                \
            vec b[vectors];                                                                                                            \
            UNROLL for (int c = 0; c < vectors; c++) b[c] = load(wide + c * LANES);                                                    \
            UNROLL for (int r = 0; r < OUTER_TALL; r++)                                                                                \
            {                                                                                                                          \
                const vec a = splat(tall[r]);                                                                                          \
                UNROLL for (int c = 0; c < vectors; c++) total[r][c] += a * b[c];                                                      \
            }                                                                                                                          \
        }                                                                                                                              \
        UNROLL for (int r = 0; r < OUTER_TALL; r++) UNROLL for (int c = 0; c < vectors; c++) sum[r][c] = total[r][c];                  \
    }
OUTER_TILE(1)
OUTER_TILE(2)
OUTER_TILE(3)

typedef struct {
    const Outer *outer;
    long first, rows;
} OuterPanel;

/* The panels of units, some rows of one matrix each, that the thread takes. Returns their number. */
static long outer_panels(OuterPanel *panels, const Outer *outers, long count, long part, long parts)
{
    long all = 0, taken = 0, number = 0;
    for (long m = 0; m < count; m++)
        all += (outers[m].units + OUTER_TALL - 1) / OUTER_TALL;
    for (long m = 0; m < count; m++)
        for (long u = 0; u < outers[m].units; u += OUTER_TALL, number++)
            if (number >= all * part / parts && number < all * (part + 1) / parts)
                panels[taken++] = (OuterPanel){outers + m, u, LEAST((long)OUTER_TALL, outers[m].units - u)};
    return taken;
}

static long outer_blocks(long inputs)
{
    return (PADDED(inputs) / LANES + OUTER_WIDE - 1) / OUTER_WIDE;
}

/* The vectors before block `b`: blocks differ by one vector at most. */
static long outer_start(long inputs, long b)
{
    return PADDED(inputs) / LANES * b / outer_blocks(inputs);
}

static void pack_operand(real *to, const real *const *rows, long steps, long inputs)
{
    for (long k = 0; k < steps; k++)
        for (long b = 0; b < outer_blocks(inputs); b++) {
            const long start = outer_start(inputs, b) * LANES, wide = outer_start(inputs, b + 1) * LANES - start;
            real *place = to + start * steps + k * wide;
            const long some = LEAST(wide, inputs - start);
            if (some == wide)
                for (long v = 0; v < wide; v += LANES)
                    store(place + v, load(rows[k] + start + v));
            else {
                memcpy(place, rows[k] + start, (size_t)some * sizeof(real));
                memset(place + some, 0, (size_t)(wide - some) * sizeof(real));
            }
        }
}

static void pack_flow(real *to, const OuterPanel *panels, long count, const real *tape, long stride, long steps)
{
    for (long k = 0; k < steps; k++)
        for (long p = 0; p < count; p++) {
            const real *from = tape + k * stride + panels[p].outer->column + panels[p].first;
            real *place = to + (p * steps + k) * OUTER_TALL;
            /* Rows of the tape lie too far apart for the processor to see what comes next. */
            __builtin_prefetch(from + OUTER_AHEAD * stride);
            if (panels[p].rows == OUTER_TALL)
                memcpy(place, from, OUTER_TALL * sizeof(real));
            else
                for (long r = 0; r < OUTER_TALL; r++)
                    place[r] = r < panels[p].rows ? from[r] : 0;
        }
}

static void add_tile(const OuterPanel *panel, vec (*sum)[OUTER_WIDE], long inputs, long start, long vectors, int fresh)
{
    for (long r = 0; r < panel->rows; r++)
        for (long c = 0; c < vectors; c++) {
            real *out = panel->outer->out + (panel->first + r) * inputs + start + c * LANES;
            const long some = LEAST(LANES, inputs - start - c * LANES);
            store_some(out, fresh ? sum[r][c] : sum[r][c] + load_some(out, some), some);
        }
}

/* All gradients that share an operand; `part` of `parts` threads. */
static __attribute__((unused)) void outer_products(const Outer *outers, long count, const real *tape, long stride,
                                                   const real *const *operand, long inputs, long slots, int add,
                                                   long part, long parts)
{
    long units = 0;
    for (long m = 0; m < count; m++)
        units += outers[m].units / OUTER_TALL + 1;
    OuterPanel *panels = malloc((size_t)units * sizeof *panels);
    real *wide = aligned((size_t)(OUTER_STEPS * PADDED(inputs))), *tall = aligned(OUTER_STEPS * OUTER_PANELS * OUTER_TALL);
    const long taken = outer_panels(panels, outers, count, part, parts);
    for (long slot = 0; slot < slots; slot += OUTER_STEPS) {
        const long steps = LEAST((long)OUTER_STEPS, slots - slot);
        pack_operand(wide, operand + slot, steps, inputs);
        for (long p = 0; p < taken; p += OUTER_PANELS) {
            const long some = LEAST((long)OUTER_PANELS, taken - p);
            pack_flow(tall, panels + p, some, tape + slot * stride, stride, steps);
            for (long b = 0; b < outer_blocks(inputs); b++)
                for (long i = 0; i < some; i++) {
                    vec sum[OUTER_TALL][OUTER_WIDE];
                    const long start = outer_start(inputs, b), vectors = outer_start(inputs, b + 1) - start;
                    const real *left = tall + i * steps * OUTER_TALL, *right = wide + start * LANES * steps;
                    if (vectors == 3)
                        outer_tile_3(sum, left, right, steps);
                    else if (vectors == 2)
                        outer_tile_2(sum, left, right, steps);
                    else
                        outer_tile_1(sum, left, right, steps);
                    add_tile(panels + p + i, sum, inputs, start * LANES, vectors, slot == 0 && !add);
                }
        }
    }
    free(panels);
    free(wide);
    free(tall);
}

/* The same where the operand is one-hot: what flowed back is added to a column. `out` is zero before. */
static __attribute__((unused)) void add_to_columns(const Outer *outers, long count, const real *tape, long stride, const int64_t *which,
                                                   long inputs, long slots, long part, long parts)
{
    for (long m = 0; m < count; m++)
        for (long u = outers[m].units * part / parts, end = outers[m].units * (part + 1) / parts; u < end; u += 16)
            for (long slot = 0; slot < slots; slot++)
                for (long i = u; i < LEAST(u + 16, end); i++)
                    outers[m].out[i * inputs + which[slot]] += tape[slot * stride + outers[m].column + i];
}

/* A vector's gradient: what flowed back, summed. */
static __attribute__((unused)) void sum_rows(real *out, const real *from, long stride, long units, long slots, int add, long part, long parts)
{
    const long first = units * part / parts, some = units * (part + 1) / parts - first;
    if (!add)
        memset(out + first, 0, (size_t)some * sizeof(real));
    for (long slot = 0; slot < slots; slot++)
        for (long u = first; u < first + some; u++)
            out[u] += from[slot * stride + u];
}
