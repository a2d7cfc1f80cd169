/* Gradients of matrices: outer products of what flowed back to a product and what it had read, summed over all steps and sequences. */

/* With few registers, three vectors of inputs would leave none for what they are multiplied with. */
#if SUMS < 24
#define OUTER_WIDE 2
#define OUTER_PANELS 8
#else
#define OUTER_WIDE 3
#define OUTER_PANELS 12
#endif
#define OUTER_STEPS 192
#define OUTER_TALL (SUMS / OUTER_WIDE)
#define OUTER_AHEAD 8

/* Whether gradients take the place of what is there, or are added to it. */
enum { FRESH, ADD };

/* What products read, of so many inputs: `rows` by slot, or rows that follow one another, `stride` apart. One without rows is one-hot, and
   dealt with elsewhere. */
typedef struct {
    const real *const *rows, *first;
    long stride, inputs;
} Operand;

/* What flowed back to products lies in the tape's rows, from `column` on. For each operand that it met there is a matrix's gradient
   [units, inputs], or NULL where it is not wanted. */
typedef struct {
    long column, units;
    real *out[OPERANDS];
} Flow;

/* tall[step][unit] times wide[step][input], summed over steps, in registers. */
#define OUTER_TILE(name, vectors)                                                                                                      \
    static __attribute__((unused)) void outer_tile_##name(vec (*sum)[OUTER_WIDE], const real *tall, const real *wide, long steps)      \
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
OUTER_TILE(one, 1)
OUTER_TILE(two, 2)
OUTER_TILE(whole, OUTER_WIDE)

typedef struct {
    const Flow *flow;
    long first, rows;
} OuterPanel;

static int is_wanted(const Flow *flow)
{
    for (int o = 0; o < OPERANDS; o++)
        if (flow->out[o])
            return 1;
    return 0;
}

/* How many panels the units of a flow are cut into; none where no gradient is wanted. */
static long panels_of(const Flow *flow)
{
    return is_wanted(flow) ? (flow->units + OUTER_TALL - 1) / OUTER_TALL : 0;
}

/* Panel number n of all flows, one after the other. */
static OuterPanel outer_panel(const Flow *flow, long n)
{
    for (; n >= panels_of(flow); flow++)
        n -= panels_of(flow);
    const long first = n * OUTER_TALL;
    return (OuterPanel){flow, first, LEAST((long)OUTER_TALL, flow->units - first)};
}

/* The numbers that a thread needs room for where operands have so many inputs, each padded. */
static __attribute__((unused)) long outer_room(long inputs)
{
    return OUTER_STEPS * (OUTER_PANELS * OUTER_TALL + inputs);
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

static void pack_operand(real *to, const Operand *operand, long slot, long steps)
{
    const real *following[OUTER_STEPS], *const *rows = following;
    const long inputs = operand->inputs;
    if (operand->rows)
        rows = operand->rows + slot;
    else
        point(following, operand->first + slot * operand->stride, operand->stride, steps);
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
            const real *from = tape + k * stride + panels[p].flow->column + panels[p].first;
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

static void add_tile(real *out, long rows, vec (*sum)[OUTER_WIDE], long inputs, long start, long vectors, int fresh)
{
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < vectors; c++) {
            real *to = out + r * inputs + start + c * LANES;
            const long some = LEAST(LANES, inputs - start - c * LANES);
            store_some(to, fresh ? sum[r][c] : sum[r][c] + load_some(to, some), some);
        }
}

/* Some panels times one operand, both packed. */
static void outer_block(const OuterPanel *panels, long count, long operand, const real *tall, const real *wide, long inputs, long steps,
                        int fresh)
{
    for (long b = 0; b < outer_blocks(inputs); b++)
        for (long i = 0; i < count; i++) {
            vec sum[OUTER_TALL][OUTER_WIDE];
            const long start = outer_start(inputs, b), vectors = outer_start(inputs, b + 1) - start;
            const real *left = tall + i * steps * OUTER_TALL, *right = wide + start * LANES * steps;
            real *out = panels[i].flow->out[operand];
            if (!out)
                continue;
            if (vectors == OUTER_WIDE)
                outer_tile_whole(sum, left, right, steps);
            else if (vectors == 2)
                outer_tile_two(sum, left, right, steps);
            else
                outer_tile_one(sum, left, right, steps);
            add_tile(out + panels[i].first * inputs, panels[i].rows, sum, inputs, start * LANES, vectors, fresh);
        }
}

/* All gradients of matrices, or as many as do not add to one another; `part` of `parts` threads. */
static __attribute__((unused)) void outer_products(const Run *run, const Flow *flows, long count, const Operand *operands,
                                                   long operand_count, int add, long part, long parts)
{
    real *wide[OPERANDS], *tall = run->scratch + part * run->scratch_room, *next = tall + outer_room(0);
    long panels = 0;
    for (long m = 0; m < count; m++)
        panels += panels_of(flows + m);
    for (long o = 0; o < operand_count; o++) {
        wide[o] = operands[o].rows || operands[o].first ? next : NULL;
        next += wide[o] ? OUTER_STEPS * PADDED(operands[o].inputs) : 0;
    }
    const long start = panels * part / parts, end = panels * (part + 1) / parts;
    for (long slot = 0; slot < run->slots && start < end; slot += OUTER_STEPS) {
        const long steps = LEAST((long)OUTER_STEPS, run->slots - slot);
        for (long o = 0; o < operand_count; o++)
            if (wide[o])
                pack_operand(wide[o], operands + o, slot, steps);
        for (long p = start; p < end; p += OUTER_PANELS) {
            OuterPanel some[OUTER_PANELS];
            const long taken = LEAST((long)OUTER_PANELS, end - p);
            for (long i = 0; i < taken; i++)
                some[i] = outer_panel(flows, p + i);
            pack_flow(tall, some, taken, run->call->tape + slot * run->stride, run->stride, steps);
            for (long o = 0; o < operand_count; o++)
                if (wide[o])
                    outer_block(some, taken, o, tall, wide[o], operands[o].inputs, steps, slot == 0 && !add);
        }
    }
}

/* The same where the operand is one-hot: what flowed back is added to a column. `out` is zero before. */
static __attribute__((unused)) void add_to_columns(const Run *run, const Flow *flows, long count, long operand, long inputs, long part,
                                                   long parts)
{
    const real *tape = run->call->tape;
    for (long m = 0; m < count; m++)
        for (long u = flows[m].units * part / parts, end = flows[m].units * (part + 1) / parts; u < end && flows[m].out[operand]; u += 16)
            for (long slot = 0; slot < run->slots; slot++)
                for (long i = u; i < LEAST(u + 16, end); i++)
                    flows[m].out[operand][i * inputs + run->id[slot]] += tape[slot * run->stride + flows[m].column + i];
}

/* A vector's gradient, where it is wanted: what flowed back, summed. */
static __attribute__((unused)) void sum_rows(const Run *run, real *out, long column, long units, int add, long part, long parts)
{
    const real *from = run->call->tape + column;
    const long first = units * part / parts, some = out ? units * (part + 1) / parts - first : 0;
    if (!add && some)
        memset(out + first, 0, (size_t)some * sizeof(real));
    for (long slot = 0; slot < run->slots && some; slot++)
        for (long u = first; u < first + some; u++)
            out[u] += from[slot * run->stride + u];
}
