/* Where the real steps of a batch lie. The rows of the batch, longest first, are dealt out to partitions; a partition's steps follow one
   another in time, and those rows that are still running at a step are its first. A real step of a row is called a slot. In training each
   slot has a row of the tape to itself; otherwise a partition has room for two spans, which take turns. */

/* What the caller gives. Everything is 8 bytes wide, so that it can be written as a list of numbers. */
typedef struct {
    long threads, steps, batch, partitions, reverse, training;
    const int64_t *lengths; /* [B], or NULL where every row has all steps */
    const uint8_t *resets;  /* [T, B], or NULL */
    const real *x;          /* [T, B, I] */
    const int64_t *ids;     /* [T, B], in place of x */
    real *tape, *used; /* two numbers: whether the tape was written over, and the partitions by which it is laid out */
    real *d_x;         /* [T, B, I], or NULL; what no sequence reaches is 0 before */
    long size[LABELS];
    const real *parameter[PARAMETERS];
    const real *first[PARAMETERS], *second[PARAMETERS]; /* what is added up to a parameter, or NULL */
    real *d_parameter[PARAMETERS];
    const real *initial[STATES]; /* [B, padded] */
    real *out[STATES];           /* [T, B, n], or NULL where not asked for; 0 before where there is padding */
    real *final[STATES];         /* [B, n], or NULL */
    const real *d_out[STATES], *d_final[STATES];
    real *d_initial[STATES]; /* [B, n], zero before */
    const real *row_vector[ROW_VECTORS];
    char *kept; /* packed matrices that outlive the call, beside what they were made of, `kept_room` bytes; NULL to pack for this call alone */
} Call;

/* A call at work. Arrays named by slot are filled by the partition that owns the slot. */
typedef struct {
    const Call *call;
    long slots, stride;
    long column[COLUMNS];
    long *start;  /* [partitions, steps + 1]: the first slot of each step */
    long *home;   /* the same: its row of the tape */
    long *order;  /* [B]: the batch's rows, longest first */
    long *place;  /* by slot: t * B + b */
    int64_t *id;  /* by slot: the input's number, where inputs are numbers */
    const real **x;
    const real **before[STATES];
    const real **row_vector[ROW_VECTORS];
    weight *panel[PANELS];
    real *seen[PANELS]; /* what a kept panel was made of; NULL where it is this call's own */
    real *scratch; /* [threads, scratch_room], to sum gradients with */
    long scratch_room;
    Memory memory;
} Run;

/* Some slots that follow one another, the first one's row of the tape, the share of a team's member in their units, and the adjoints of the states of their rows. */
typedef struct {
    long slot, home, rows, part, parts;
    real *arriving[STATES];
} Span;

typedef void Stage(const Run *run, const Span *span);

static long length_of(const Call *call, long row)
{
    return call->lengths ? call->lengths[row] : call->steps;
}

/* Whether the caller's numbers lead outside its memory: 1 for a length, 2 for the number of an input at a real step, 0 for none. */
long fault(const Call *call)
{
    for (long b = 0; call->lengths && b < call->batch; b++)
        if (call->lengths[b] < 0 || call->lengths[b] > call->steps)
            return 1;
    for (long t = 0; call->ids && call->size[SIZE_inputs] && t < call->steps; t++)
        for (long b = 0; b < call->batch; b++) {
            const int64_t id = call->ids[t * call->batch + b];
            if ((id < 0 || id >= call->size[SIZE_inputs]) && t < length_of(call, b))
                return 2;
        }
    return 0;
}

/* Make the parameters that are sums. */
static void add_up(const Call *call)
{
    for (int p = 0; p < PARAMETERS; p++)
        for (long u = 0; call->first[p] && u < call->size[parameter_size[p]]; u++)
            ((real *)call->parameter[p])[u] = call->first[p][u] + call->second[p][u];
}

/* The rows by falling length, rows of equal length in their order: counted in `rank`, then placed. */
static void sort_rows(Run *run, long *rank)
{
    const Call *call = run->call;
    for (long b = 0; b < call->batch; b++)
        run->order[b] = b;
    if (!call->lengths)
        return;
    memset(rank, 0, (size_t)(call->steps + 2) * sizeof *rank);
    for (long b = 0; b < call->batch; b++)
        rank[call->steps - length_of(call, b) + 1]++;
    for (long n = 0; n <= call->steps; n++)
        rank[n + 1] += rank[n];
    for (long b = 0; b < call->batch; b++)
        run->order[rank[call->steps - length_of(call, b)]++] = b;
}

static void lay_out(Run *run)
{
    const Call *call = run->call;
    Memory *memory = &run->memory;
    run->start = list(memory, call->partitions * (call->steps + 1));
    run->home = list(memory, call->partitions * (call->steps + 1));
    run->order = list(memory, call->batch);
    long *rank = list(memory, call->lengths ? call->steps + 2 : 0);
    if (memory->lacking)
        return;
    sort_rows(run, rank);
    for (long p = 0; p < call->partitions; p++) {
        long running = (call->batch - p + call->partitions - 1) / call->partitions;
        for (long t = 0; t <= call->steps; t++) {
            run->start[p * (call->steps + 1) + t] = run->slots;
            while (running > 0 && (t == call->steps || length_of(call, run->order[p + (running - 1) * call->partitions]) <= t))
                running--;
            run->slots += running;
        }
    }
    const long slots = run->slots;
    run->place = list(memory, slots);
    run->id = call->ids ? list(memory, slots) : NULL;
    run->x = list(memory, slots);
    for (int s = 0; s < STATES; s++)
        run->before[s] = list(memory, slots);
    for (int m = 0; m < ROW_VECTORS; m++)
        run->row_vector[m] = list(memory, slots);
}

static void lay_out_columns(Run *run, int columns)
{
    /* One vector more than the columns need: rows a power of two apart would share few places in the first cache. */
    run->stride = LANES;
    for (int c = 0; c < columns; c++) {
        run->column[c] = run->stride - LANES;
        run->stride += PADDED(run->call->size[column_size[c]]);
    }
}

/* The step at which work that knows no order in time is done in one go, beginning at step number n: as many steps as fill a span. */
static long together(const Run *run, const long *start, long n, int falling)
{
    const long steps = run->call->steps;
    long last = n, slots = 0;
    for (; last < steps; last++) {
        const long t = falling ? steps - 1 - last : last;
        slots += start[t + 1] - start[t];
        if (slots > MOST_ROWS && last > n)
            break;
    }
    return last;
}

/* The rows of the tape that a partition has where no gradient is wanted: two spans', or two steps' if those are longer. */
static long rows_in_turns(const Call *call)
{
    const long rows = (call->batch + call->partitions - 1) / call->partitions;
    return 2 * (rows > MOST_ROWS ? rows : MOST_ROWS);
}

static void find_homes(Run *run, long partition)
{
    const Call *call = run->call;
    const long *start = run->start + partition * (call->steps + 1), room = rows_in_turns(call);
    long *home = run->home + partition * (call->steps + 1);
    if (call->training) {
        memcpy(home, start, (size_t)(call->steps + 1) * sizeof(long));
        return;
    }
    for (long n = 0, turn = 0; n < call->steps; turn++) {
        const long end = together(run, start, n, call->reverse != 0), first = call->reverse ? call->steps - end : n;
        for (long t = first; t < first + end - n; t++)
            home[t] = partition * room + turn % 2 * (room / 2) + start[t] - start[first];
        n = end;
    }
}

/* Fill in what is known by slot, for one partition. */
static void place_rows(Run *run, long partition)
{
    const Call *call = run->call;
    const long *start = run->start + partition * (call->steps + 1), *home = run->home + partition * (call->steps + 1);
    find_homes(run, partition);
    for (long t = 0; t < call->steps; t++)
        for (long slot = start[t]; slot < start[t + 1]; slot++) {
            const long row = slot - start[t], b = run->order[partition + row * call->partitions], place = t * call->batch + b;
            const long other = call->reverse ? t + 1 : t - 1;
            const int goes_on =
                other >= 0 && other < call->steps && row < start[other + 1] - start[other] && !(call->resets && call->resets[place]);
            run->place[slot] = place;
            run->x[slot] = call->x ? call->x + place * call->size[SIZE_inputs] : NULL;
            if (call->ids)
                run->id[slot] = call->ids[place];
            for (int s = 0; s < STATES; s++)
                run->before[s][slot] = goes_on ? call->tape + (home[other] + row) * run->stride + run->column[state_column[s]]
                                               : call->initial[s] + b * PADDED(call->size[state_size[s]]);
            for (int m = 0; m < ROW_VECTORS; m++)
                run->row_vector[m][slot] = call->row_vector[m] + b * PADDED(call->size[row_vector_size[m]]);
        }
}
