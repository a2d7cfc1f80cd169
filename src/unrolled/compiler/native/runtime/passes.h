/* The passes over a batch: forward, and backward with the gradients. Each thread takes whole partitions and waits for nobody in the loop
   over time; when there are fewer rows than threads, all share one partition and split the units of every stage. */

static void run_stages(const Run *run, Stage *const *stages, long count, Span span, long slots, Team *team)
{
    for (long s = 0; s < count; s++) {
        Span some = span;
        for (long done = 0; done < slots; done += some.rows) {
            some.slot = span.slot + done;
            some.home = span.home + done;
            some.rows = LEAST((long)MOST_ROWS, slots - done);
            for (int i = 0; i < STATES; i++)
                some.arriving[i] = span.arriving[i] ? span.arriving[i] + done * PADDED(run->call->size[state_size[i]]) : NULL;
            stages[s](run, &some);
        }
        wait_for_all(&team->barrier, span.parts);
    }
}

static void hand_out(const Run *run, const Span *span)
{
    const Call *call = run->call;
    for (int s = 0; s < STATES; s++)
        if (call->out[s]) {
            const long n = call->size[state_size[s]];
            for (long r = span->rows * span->part / span->parts; r < span->rows * (span->part + 1) / span->parts; r++)
                memcpy(call->out[s] + run->place[span->slot + r] * n,
                       call->tape + (span->home + r) * run->stride + run->column[state_column[s]], (size_t)n * sizeof(real));
        }
}

/* The states of rows that end with a step; of those that have no step at all, the initial ones (`span` is NULL). */
static void hand_out_final(const Run *run, long partition, const Span *span, long first, long end)
{
    const Call *call = run->call;
    for (long row = first; row < end; row++) {
        const long b = run->order[partition + row * call->partitions];
        for (int s = 0; s < STATES && call->final[s]; s++) {
            const long n = call->size[state_size[s]];
            const real *from = span ? call->tape + (span->home + row) * run->stride + run->column[state_column[s]] : call->initial[s] + b * PADDED(n);
            memcpy(call->final[s] + b * n, from, (size_t)n * sizeof(real));
        }
    }
}

static void forward_partition(Run *run, Team *team, long partition, long part, long parts)
{
    const Call *call = run->call;
    const long *start = run->start + partition * (call->steps + 1), *home = run->home + partition * (call->steps + 1);
    const long all = (call->batch - partition + call->partitions - 1) / call->partitions;
    if (part == 0) {
        place_rows(run, partition);
        hand_out_final(run, partition, NULL, call->steps ? start[1] - start[0] : 0, all);
    }
    wait_for_all(&team->barrier, parts);
    for (long n = 0, ready = 0; n < call->steps; n++) {
        Span span = {.part = part, .parts = parts};
        if (n == ready) {
            ready = together(run, start, n, call->reverse != 0);
            const long first = call->reverse ? call->steps - ready : n, end = call->reverse ? call->steps - n : ready;
            span.slot = start[first];
            span.home = home[first];
            run_stages(run, prologue_stages, PROLOGUE_STAGES, span, start[end] - start[first], team);
        }
        const long t = call->reverse ? call->steps - 1 - n : n;
        span.slot = start[t];
        span.home = home[t];
        span.rows = start[t + 1] - start[t];
        run_stages(run, forward_stages, FORWARD_STAGES, span, span.rows, team);
        hand_out(run, &span);
        if (part == 0)
            hand_out_final(run, partition, &span, call->reverse ? (t ? span.rows : 0) : t + 1 < call->steps ? start[t + 2] - start[t + 1] : 0, span.rows);
    }
}

static void forward_work(void *data, Team *team, long thread, long threads)
{
    Run *run = data;
    pack_forward(run, thread, threads);
    wait_for_all(&team->barrier, threads);
    if (run->call->partitions == 1)
        forward_partition(run, team, 0, thread, threads);
    else
        for (long p = thread; p < run->call->partitions; p += threads)
            forward_partition(run, team, p, 0, 1);
}

static void begin_run(Run *run, int columns)
{
    add_up(run->call);
    lay_out(run);
    lay_out_columns(run, columns);
}

/* Returns 0; or, if there is not enough memory, the bytes that were asked for, and then nothing was done. */
long forward(const Call *call)
{
    Run run = {.call = call};
    begin_run(&run, call->training ? COLUMNS_ALL : COLUMNS_FORWARD);
    allocate_forward(&run);
    if (!run.memory.lacking) {
        if (call->training)
            use_large_pages(call->tape, (size_t)(run.slots * run.stride) * sizeof(real));
        run_team(forward_work, &run, call->threads);
        call->used[0] = 0;
        call->used[1] = (real)call->partitions;
    }
    return give_back(&run.memory);
}

/* The adjoints of the states after the last step, row by row of the partition; padding is 0. */
static void begin_arriving(const Run *run, long partition, real **arriving)
{
    const Call *call = run->call;
    const long rows = (call->batch - partition + call->partitions - 1) / call->partitions;
    for (int s = 0; s < STATES; s++) {
        const long n = call->size[state_size[s]], wide = PADDED(n);
        memset(arriving[s], 0, (size_t)(rows * wide) * sizeof(real));
        for (long row = 0; call->d_final[s] && row < rows; row++)
            memcpy(arriving[s] + row * wide, call->d_final[s] + run->order[partition + row * call->partitions] * n, (size_t)n * sizeof(real));
    }
}

/* What the caller sent back to a step's states joins what came from the step after it. */
static void arrive(const Run *run, const Span *span)
{
    const Call *call = run->call;
    for (int s = 0; s < STATES; s++)
        for (long r = span->rows * span->part / span->parts; r < span->rows * (span->part + 1) / span->parts; r++) {
            const long n = call->size[state_size[s]];
            real *to = span->arriving[s] + r * PADDED(n);
            const real *from = call->d_out[s] ? call->d_out[s] + run->place[span->slot + r] * n : NULL;
            for (long u = 0; from && u < n; u++)
                to[u] += from[u];
            if (arriving_column[s] >= 0)
                memcpy(call->tape + (span->home + r) * run->stride + run->column[arriving_column[s]], to, (size_t)PADDED(n) * sizeof(real));
        }
}

/* Rows whose state was set back at this step hand their adjoint to the initial state. */
static void leave(const Run *run, const Span *span)
{
    const Call *call = run->call;
    for (long r = 0; r < span->rows; r++)
        if (call->resets[run->place[span->slot + r]])
            for (int s = 0; s < STATES; s++) {
                const long n = call->size[state_size[s]];
                real *from = span->arriving[s] + r * PADDED(n), *to = call->d_initial[s] + run->place[span->slot + r] % call->batch * n;
                for (long u = 0; u < n; u++)
                    to[u] += from[u];
                memset(from, 0, (size_t)n * sizeof(real));
            }
}

static void end_arriving(const Run *run, long partition, real *const *arriving)
{
    const Call *call = run->call;
    for (long row = 0; partition + row * call->partitions < call->batch; row++)
        for (int s = 0; s < STATES; s++) {
            const long n = call->size[state_size[s]];
            real *to = call->d_initial[s] + run->order[partition + row * call->partitions] * n;
            for (long u = 0; u < n; u++)
                to[u] += arriving[s][row * PADDED(n) + u];
        }
}

static void backward_partition(Run *run, Team *team, long partition, long part, long parts, real *const *arriving)
{
    const Call *call = run->call;
    const long *start = run->start + partition * (call->steps + 1);
    for (long n = 0, begun = 0, ready = together(run, start, 0, !call->reverse); n < call->steps; n++) {
        const long t = call->reverse ? n : call->steps - 1 - n;
        Span span = {.slot = start[t], .home = start[t], .rows = start[t + 1] - start[t], .part = part, .parts = parts};
        for (int s = 0; s < STATES; s++)
            span.arriving[s] = arriving[s];
        arrive(run, &span);
        wait_for_all(&team->barrier, parts);
        run_stages(run, backward_stages, BACKWARD_STAGES, span, span.rows, team);
        if (call->resets && part == 0)
            leave(run, &span);
        if (call->resets)
            wait_for_all(&team->barrier, parts);
        if (n + 1 == ready) {
            const long first = call->reverse ? begun : call->steps - ready, end = call->reverse ? ready : call->steps - begun;
            Span all = {.slot = start[first], .home = start[first], .part = part, .parts = parts};
            run_stages(run, epilogue_stages, EPILOGUE_STAGES, all, start[end] - start[first], team);
            begun = ready;
            ready = together(run, start, ready, !call->reverse);
        }
    }
    wait_for_all(&team->barrier, parts);
    if (part == 0)
        end_arriving(run, partition, arriving);
}

typedef struct {
    Run *run;
    real **arriving; /* [partitions, states] */
} Backward;

static void backward_work(void *data, Team *team, long thread, long threads)
{
    const Backward *back = data;
    Run *run = back->run;
    const long partitions = run->call->partitions;
    pack_backward(run, thread, threads);
    for (long p = thread; p < partitions; p += threads) {
        place_rows(run, p);
        begin_arriving(run, p, back->arriving + p * STATES);
    }
    wait_for_all(&team->barrier, threads);
    if (partitions == 1)
        backward_partition(run, team, 0, thread, threads, back->arriving);
    else
        for (long p = thread; p < partitions; p += threads)
            backward_partition(run, team, p, 0, 1, back->arriving + p * STATES);
    wait_for_all(&team->barrier, threads);
    if (run->slots)
        gradients(run, team, thread, threads);
}

static void allocate_arriving(Run *run, real **arriving)
{
    const Call *call = run->call;
    for (long p = 0; arriving && p < call->partitions; p++)
        for (int s = 0; s < STATES; s++) {
            const long rows = (call->batch - p + call->partitions - 1) / call->partitions;
            arriving[p * STATES + s] = reserve(&run->memory, (size_t)(rows * PADDED(call->size[state_size[s]])) * sizeof(real));
        }
}

/* The backward pass writes over the tape; whoever comes a second time has it made again. Returns what `forward` does. */
long backward(const Call *given)
{
    Call laid_out = *given;
    laid_out.partitions = (long)given->used[1];
    const Call *call = &laid_out;
    const long lacking = call->used[0] ? forward(call) : 0;
    if (lacking)
        return lacking;
    Run run = {.call = call};
    begin_run(&run, COLUMNS_ALL);
    Backward back = {&run, list(&run.memory, call->partitions * STATES)};
    allocate_backward(&run);
    allocate_arriving(&run, back.arriving);
    run.scratch_room = gradient_room(&run);
    run.scratch = reserve(&run.memory, (size_t)(call->threads * run.scratch_room) * sizeof(real));
    if (!run.memory.lacking) {
        call->used[0] = 1;
        run_team(backward_work, &back, call->threads);
    }
    return give_back(&run.memory);
}

/* What the caller must know to lay memory out. */
long lanes(void)
{
    return LANES;
}

long most_rows(void)
{
    return MOST_ROWS;
}

long call_bytes(void)
{
    return (long)sizeof(Call);
}

/* The bytes that `kept` takes, or 0 where this call would pack nothing. */
long kept_room(const Call *call)
{
    return worth_packing_some(call->steps * call->batch) ? (long)forward_room(call) : 0;
}

/* Room that holds no matrices yet: as if they had been seen, and packed, when they were 0. */
void clear_kept(char *kept, long bytes)
{
    use_large_pages(kept, (size_t)bytes);
    memset(kept, 0, (size_t)bytes);
}
