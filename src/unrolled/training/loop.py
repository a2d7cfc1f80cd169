"""The training loop that every task goes through."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.errors import RunError, TrainingError
from unrolled.training.average import ExponentialMovingAverage
from unrolled.training.callbacks import Callback, Running
from unrolled.training.checkpoint import not_finite
from unrolled.training.criterion import LOSS_KEY
from unrolled.training.display import Display, Status
from unrolled.training.interrupt import Interrupts, Stopped
from unrolled.training.meter import Meter
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import BEST_BY, TRAINED, RunFolder
from unrolled.training.schedule import learning_rate
from unrolled.training.state import Position, adamw, numbers_of, restore_state, save_state
from unrolled.training.task import Measures, Outcome, Task, Tick
from unrolled.training.trackers import TRACKERS
from unrolled.training.watch import Watch

LOG_SECONDS = 1.0
DRAW_SECONDS = 30.0
EVALUATION_SHARE = 0.1
"""The part of a run limited in minutes that measuring on the way may take; if it would take more, it is done less often."""

JUMP = 0.02
"""By which part the learning rate may change without a word when a run is resumed."""

READING = 3
"""How many times faster a text is read than learnt, roughly."""


def train(
    task: Task,
    options: TrainingOptions,
    folder: RunFolder,
    display: Display,
    *,
    resume: bool = False,
    before: TrainingOptions | None = None,
    callbacks: Sequence[Callback] = (),
) -> Outcome:
    """Train a task in a run folder that this process holds; with `resume`, from its checkpoint, to which it came with the options `before`. `callbacks` are told
    what happens.

    SIGINT, SIGTERM and SIGHUP save and end the call. `TrainingError` when the loss, its gradient or a weight is no longer a number: such
    weights are never written.
    """
    with Interrupts() as interrupts:
        run = _Run(task, options.resolved(), folder, display, interrupts, callbacks)
        try:
            run.begin(resume)
            if resume:
                run.say_what_changes(before or options)
            run.tell()
            run.start()
            run.learn()
            run.outcome = run.finish()
        except Stopped:
            run.outcome = Outcome(False, {})
        finally:
            run.close()
        return run.outcome


class _Run:
    """One call of `train`."""

    def __init__(
        self,
        task: Task,
        options: TrainingOptions,
        folder: RunFolder,
        display: Display,
        interrupts: Interrupts,
        callbacks: Sequence[Callback],
    ) -> None:
        self.task, self.options, self.folder, self.display, self.interrupts = task, options, folder, display, interrupts
        self.device = next(task.model.parameters()).device
        self.optimiser = adamw(task.model, options)
        self.average = ExponentialMovingAverage(task.model, options.average)
        self.watch = Watch(task.model, folder.watched, enabled=options.watch, every=options.watch_every)
        self.updates_per_epoch = -(-task.batches // options.accumulate)
        self.at = Position()
        self.norms: deque[float] = deque(maxlen=5)
        self.callbacks = [*(TRACKERS[name]() for name in options.trackers), *callbacks]
        self.told = list[Callback]()
        self.outcome: Outcome | None = None

    def begin(self, resume: bool) -> None:
        """From the checkpoint if there is one, else from the start."""
        self.task.begin(0)
        if resume and self.folder.has_checkpoint():
            lost = self._lost_weights()
            carried, self.at = restore_state(self.folder, self.task.model, self.optimiser, self.average)
            self.task.begin(self.at.epoch)
            self.task.load_state_dict({name: tensor.to(self.device) for name, tensor in carried.items()})
            if lost:
                self.at.best, self.at.in_vain = None, 0
        if resume:
            self.folder.history.cut(self.at.history)
            self.watch.cut(self.at.watched)

    def start(self) -> None:
        """Start the clock, and what goes by it: what callbacks did before, such as to reach a server, is no time of training."""
        self.started = time.perf_counter() - self.at.seconds
        self.saved_at, self.saved_updates = time.perf_counter(), self.at.updates
        self.drawn_at = self.saved_at
        self.measuring, self.speed = 0.0, 0.0
        self.held_out: float | None = None
        self.meter = Meter()

    def tell(self) -> None:
        """Tell callbacks that the run begins."""
        for callback in self.callbacks:
            callback.began(Running(self.folder, self.task, self.options))
            self.told.append(callback)

    def say_what_changes(self, before: TrainingOptions) -> None:
        """That nothing is left to do, or that the course is no longer the one that the run was begun on."""
        if self._over():
            vain = self._done(self.at.updates, self.at.seconds) < 1
            cure = "more `patience`" if vain else "more `epochs`, `updates` or `minutes`"
            self.display.say(f"Nothing is left to learn: the run had ended after {self.at.updates} updates. Give it {cure} to go on.")
            return
        was = learning_rate(before, self.at.updates, self._done_by(before, self.at.updates, self.at.seconds))
        now = learning_rate(self.options, self.at.updates, self._done(self.at.updates, self.at.seconds))
        if self.at.updates and not math.isclose(was, now, rel_tol=JUMP):
            self.display.say(
                f"The learning rate goes from {was:.3g} to {now:.3g}: its schedule now spans the new length of the run, so that the run "
                "will not end as one that was begun with it."
            )

    def _lost_weights(self) -> bool:
        """Whether the best weights so far cannot be read any more, which is said now, and not after the last update."""
        try:
            self.folder.load_weights(self.task.model)
        except RunError as error:
            self.display.say(f"{error} The run goes on from its checkpoint, and keeps the best weights from here on.")
            return True
        return False

    def learn(self) -> None:
        """Update until the run is done, keeping the best weights; when it is stopped, everything is saved."""
        try:
            self._updates()
            # Without an earlier measurement there is nothing to compare with, and `finish` measures anyway.
            if self._measures and self.at.measured_updates < self.at.updates and (self.at.best is not None or not self._too_slow()):
                self._measure()
        except Stopped:
            self._save()
            self._draw()
            raise
        self._save()

    def finish(self) -> Outcome:
        """The exact measures of the weights that are kept."""
        if not self._measures:
            self._draw()
            return Outcome(True, {})
        self.folder.load_weights(self.task.model)
        trained = {TRAINED: round(self.at.seconds, 3)}
        measures = self._evaluated(self.task.evaluate_exactly)
        self.display.say(self._why_kept())
        self.display.say(f"held out, with the weights that are kept: {self.task.describe(measures)}")
        for remark in self.task.remarks(measures, None if self.at.best is None else self.at.best_loss):
            self.display.say(remark)
        kept = {} if self.at.best is None else {"best": self.at.best, "best_update": self.at.best_updates}
        self._record(
            {**{f"final_{name}": value for name, value in measures.items()}, BEST_BY: self.task.criterion.option, **kept, **trained}
        )
        self._draw()
        return Outcome(True, measures)

    def _why_kept(self) -> str:
        """Which weights are kept, and by which number."""
        criterion = self.task.criterion
        if self.at.best is None:
            return f"The last weights are kept: no measurement on the way gave a number to choose by, {criterion.name} (`best_by`)."
        return (
            f"The weights of update {self.at.best_updates} are kept, with the {criterion.superlative} {criterion.name} on the way: "
            f"{self.at.best:.4g} (`best_by`)."
        )

    def close(self) -> None:
        """Tell those that it ends who were told that it began."""
        for callback in self.told:
            callback.ended(self.outcome)

    @property
    def _measures(self) -> bool:
        return self.task.held_out_size > 0

    def _over(self) -> bool:
        """Whether time or epochs are spent, or patience is."""
        patience = self.options.patience
        return self._done(self.at.updates, self.at.seconds) >= 1 or (patience is not None and self.at.in_vain >= patience)

    def _updates(self) -> None:
        while not self._over():
            self._turn_epoch()
            if self._due() and not self._too_slow():
                self._measure()
                continue
            self._update()
            if time.perf_counter() - self.saved_at >= self.options.checkpoint_seconds:
                self._save()
            if time.perf_counter() - self.drawn_at >= DRAW_SECONDS:
                self._draw()
            self.interrupts.check()
        if self._done(self.at.updates, self.at.seconds) < 1:
            vain = f"{self.at.in_vain} measurements without a better {self.task.criterion.name}"
            self.display.say(f"stopped at update {self.at.updates}: {vain} (early stopping, `patience`)")

    def _turn_epoch(self) -> None:
        if self.at.in_epoch == self.updates_per_epoch:
            self.at.epoch, self.at.in_epoch = self.at.epoch + 1, 0
            self.task.begin(self.at.epoch)

    def _done(self, updates: int, seconds: float) -> float:
        """The part of the run that is done after so many updates or seconds."""
        return self._done_by(self.options, updates, seconds)

    def _done_by(self, options: TrainingOptions, updates: int, seconds: float) -> float:
        if options.minutes:
            return seconds / (60 * options.minutes)
        return updates / (options.updates or self.updates_per_epoch * (options.epochs or 1))

    def _due(self) -> bool:
        """Whether it is time to measure again. It depends on the updates alone unless the clock decides the end."""
        if not self._measures:
            return False
        now = self._done(self.at.updates, self.at.seconds)
        last = self._done(self.at.measured_updates, self.at.measured_seconds)
        return int(now * self.options.evaluations) > int(last * self.options.evaluations)

    def _update(self) -> None:
        rate = learning_rate(self.options, self.at.updates, self._done(self.at.updates, self.at.seconds))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.watch.begin(self.at.updates)
        loss, tokens = self._gradient()
        self.watch.before_step()
        norm = float(nn.utils.clip_grad_norm_(self.task.model.parameters(), self.options.clip or math.inf))
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise TrainingError(self._not_a_number(loss, norm))
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.norms.append(norm)
        self.at.clipped += 0 < self.options.clip < norm
        self.at.peak = max(self.at.peak, norm)
        self.at.in_epoch += 1
        self.at.updates += 1
        self.average.update(self.at.updates)
        self.at.tokens += tokens
        self.at.seconds = time.perf_counter() - self.started
        self.watch.after_step(self.at, {"loss": loss, "learning_rate": rate, "gradient_norm": norm})
        self.meter.add(loss, norm, tokens)
        if self.meter.seconds() >= LOG_SECONDS or self.at.updates == 1:
            self._log(rate)

    def _gradient(self) -> tuple[float, int]:
        """Add up the gradient of one update; gives the mean loss and the number of losses."""
        first = self.at.in_epoch * self.options.accumulate
        objective = self.task.objective(range(first, min(first + self.options.accumulate, self.task.batches)))
        total = torch.zeros((), device=self.device)
        for part in self._under_autocast(objective.sums):
            (part / objective.count).backward()
            total = total + part.detach()
        return float(total) / objective.count, objective.count

    def _under_autocast(self, sums: Iterator[Tensor]) -> Iterator[Tensor]:
        """The sums, each computed in the precision that was asked for; what the caller does with them is not affected."""
        half = self.options.precision == "bfloat16"
        while True:
            with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
                part = next(sums, None)
            if part is None:
                return
            yield part

    def _not_a_number(self, loss: float, norm: float) -> str:
        before = ", ".join(f"{n:.3g}" for n in self.norms) or "none"
        return (
            f"Update {self.at.updates + 1} (epoch {self.at.epoch + 1}) gives a loss of {loss:.4g} with a gradient of norm {norm:.4g}; the norms "
            f"before it were {before}. Nothing was updated with it. {self._way_back()}"
        )

    def _way_back(self) -> str:
        good = (
            f"The last good checkpoint is that of update {self.saved_updates}. Go on from there"
            if self.folder.has_checkpoint()
            else "There is no checkpoint yet. Begin again"
        )
        clip = "" if self.options.clip else ", clip=1.0"
        return f"{good} with a lower rate: resume {self.folder} with `learning_rate={self.options.learning_rate / 3:.2g}{clip}`"

    def _log(self, rate: float) -> None:
        read = self.meter.read()
        self.speed = max(self.speed, read["tokens_per_second"])
        self._record({**read, "learning_rate": rate})
        done = min(self._done(self.at.updates, self.at.seconds), 1.0)
        left = self.at.seconds / max(done, 1e-9) * (1 - done)
        self.display.status(Status(done, self.at.updates, held_out=self.held_out, left=left, **read))

    def _record(self, record: Mapping[str, Any]) -> None:
        record = {**self.at.told(), **record}
        self.folder.history.add(record)
        for callback in self.callbacks:
            callback.recorded(record)

    def _require_finite(self) -> None:
        """`TrainingError` before anything is written that nobody could go on from."""
        if told := not_finite(numbers_of(self.task.model, self.optimiser, self.average, self.task.state_dict())):
            raise TrainingError(f"After update {self.at.updates} {told}. Nothing was written with it. {self._way_back()}")

    def _measure(self) -> None:
        """Measure on the held-out part, and keep the weights if they are the best so far."""
        self._require_finite()
        begun = time.perf_counter()
        with self.average.in_place():
            measures = self._evaluated(self.task.evaluate)
            self.measuring += time.perf_counter() - begun
            loss = measures.get(LOSS_KEY)
            self._record(measures)
            self.display.say(f"update {self.at.updates}: held out {self.task.describe(measures)}")
            self.at.in_vain += 1
            value = self.task.criterion.read(measures)
            if self.task.criterion.better(value, loss or 0.0, self.at.best, self.at.best_loss):
                self.at.best, self.at.best_loss, self.at.best_updates = value, loss or 0.0, self.at.updates
                self.at.in_vain, self.held_out = 0, loss
                self.folder.save_weights(self.task.model)
        self.at.measured_updates, self.at.measured_seconds = self.at.updates, self.at.seconds
        self._save()
        for callback in self.callbacks:
            callback.measured({**self.at.told(), **measures})

    def _too_slow(self) -> bool:
        """Whether one more measurement would take measuring beyond its share of the time spent, in a run that is limited in minutes."""
        if not self.options.minutes:
            return False
        expected = self.task.held_out_size / max(READING * self.speed, 1e-9)
        return self.measuring + expected > EVALUATION_SHARE * self.at.seconds

    def _evaluated(self, evaluate: Callable[[Tick], Measures]) -> Measures:
        def tick(done: int, total: int) -> None:
            self.display.work("measuring", done, total)
            self.interrupts.check()

        begun = time.perf_counter()
        self.task.model.eval()
        measures = evaluate(tick)
        self.task.model.train()
        self.meter.since += time.perf_counter() - begun
        self.at.seconds = time.perf_counter() - self.started
        if not math.isfinite(loss := measures.get(LOSS_KEY, 0.0)):
            raise TrainingError(f"After update {self.at.updates} the held-out loss is {loss:.4g}. {self._way_back()}")
        return measures

    def _save(self) -> None:
        self._require_finite()
        if self.at.best is None:
            with self.average.in_place():
                self.folder.save_weights(self.task.model)
        self.at.history, self.at.watched = self.folder.history.size(), self.folder.watched.size()
        save_state(self.folder, self.task.model, self.optimiser, self.average, self.task.state_dict(), self.at)
        self.saved_at, self.saved_updates = time.perf_counter(), self.at.updates

    def _draw(self) -> None:
        self.folder.draw(self.task.unit)
        self.drawn_at = time.perf_counter()
