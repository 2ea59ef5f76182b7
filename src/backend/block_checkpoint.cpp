// See block_checkpoint.hpp. Bytes: BlockHead; records of the trials that are done; of each kind of parameters that is kept those of the
// trials that are done, of the initial ones also those in progress; then what the backend writes of these.
#include "backend/block_checkpoint.hpp"

#include <cstring>
#include <type_traits>
#include <utility>

namespace limrisk {
namespace {

struct BlockHead {
    std::int64_t format, count, done, trials, kinds, replica_steps;
};
static_assert(std::is_trivially_copyable_v<BlockHead> && std::is_trivially_copyable_v<TrialRecord>);

std::int64_t kinds_of(const KeptParameters& keep) {
    std::int64_t kinds = 0;
    for (std::size_t kind = 0; kind < parameter_kinds; ++kind) kinds |= std::int64_t{keep.kinds[kind]} << kind;
    return kinds;
}

BlockHead head_of(const std::string& bytes) {
    BlockHead head;
    std::memcpy(&head, bytes.data(), sizeof(head));
    return head;
}

/// Calls visit(kind, bytes) for the results that a checkpoint holds: kind -1 is records, the others are parameters.
template <class Visit>
void for_result_bytes(const kernels::Cell& cell, const KeptParameters& keep, const BlockPlace& place, Visit visit) {
    visit(-1, place.done * static_cast<std::int64_t>(sizeof(TrialRecord)));
    for (std::size_t kind = 0; kind < parameter_kinds; ++kind) {
        if (!keep.kinds[kind]) continue;
        const std::int64_t trials = place.done + (kind == static_cast<std::size_t>(ParameterKind::Initial) ? place.trials : 0);
        visit(static_cast<int>(kind), trials * kernels::parameter_count(cell) * static_cast<std::int64_t>(sizeof(double)));
    }
}

/// Of all that is before what the format says.
std::int64_t head_bytes(const kernels::Cell& cell, const KeptParameters& keep, const BlockPlace& place) {
    auto bytes = static_cast<std::int64_t>(sizeof(BlockHead));
    for_result_bytes(cell, keep, place, [&](int, std::int64_t count) { bytes += count; });
    return bytes;
}

}  // namespace

std::int64_t checkpoint_bytes(const kernels::Cell& cell, const KeptParameters& keep, const ProgressFormat& format,
                              const BlockPlace& place) {
    return head_bytes(cell, keep, place) + format.bytes(place.trials);
}

BlockCheckpoints::BlockCheckpoints(const ProgressFormat& format, const WorkItem& item, WorkStatus& status, const BlockOptions& options,
                                   BlockResult& result)
    : format_(format),
      item_(item),
      status_(status),
      options_(options),
      result_(result),
      checkpoints_(options.checks || options.states || options.snapshot_steps ? nullptr : options.checkpoints),
      steps_before_(status.replica_steps.load()) {}

/// Calls visit(place in memory, bytes) for the results that a checkpoint holds.
template <class Visit>
void BlockCheckpoints::for_results(const BlockPlace& place, Visit visit) const {
    for_result_bytes(item_.plan->cell(), options_.parameters, place, [&](int kind, std::int64_t bytes) {
        void* const results = kind < 0 ? static_cast<void*>(result_.records.data())
                                       : static_cast<void*>(result_.parameters[static_cast<std::size_t>(kind)].data());
        visit(results, static_cast<std::size_t>(bytes));
    });
}

std::string BlockCheckpoints::problem_of(const Checkpoint& from) const {
    const auto size = static_cast<std::int64_t>(from.bytes.size());
    if (size == 0) return "it does not match its hash";
    if (size < static_cast<std::int64_t>(sizeof(BlockHead))) return foreign_checkpoint;
    const BlockHead head = head_of(from.bytes);
    if (head.format != format_.number() || head.count != item_.count || head.kinds != kinds_of(options_.parameters) ||
        head.replica_steps != from.replica_steps)
        return foreign_checkpoint;
    if (head.done < 0 || head.trials < 1 || head.done > head.count || head.trials > head.count - head.done) return foreign_checkpoint;
    const std::int64_t before = head_bytes(item_.plan->cell(), options_.parameters, {head.done, head.trials});
    if (size < before) return foreign_checkpoint;
    return format_.problem_of(head.trials, from.bytes.data() + before, size - before);
}

BlockPlace BlockCheckpoints::resume(const char*& progress) {
    progress = nullptr;
    if (!checkpoints_ || !checkpoints_->from) return {};
    const Checkpoint& from = *checkpoints_->from;
    if (const std::string problem = problem_of(from); !problem.empty()) {
        if (checkpoints_->refuse) checkpoints_->refuse(problem);
        return {};
    }
    const BlockHead head = head_of(from.bytes);
    const BlockPlace place{head.done, head.trials};
    status_.replica_steps.fetch_add(head.replica_steps, std::memory_order_relaxed);
    status_.resumed_steps.fetch_add(head.replica_steps, std::memory_order_relaxed);
    progress = from.bytes.data() + head_bytes(item_.plan->cell(), options_.parameters, place);
    return place;
}

void BlockCheckpoints::take_results(const BlockPlace& place) {
    const char* at = checkpoints_->from->bytes.data() + sizeof(BlockHead);
    for_results(place, [&](void* results, std::size_t count) {
        if (count > 0) std::memcpy(results, at, count);
        at += count;
    });
}

void BlockCheckpoints::begin(const BlockPlace& place) {
    if (!checkpoints_) return;
    place_ = place;
    wanted_ = checkpoint_bytes(item_.plan->cell(), options_.parameters, format_, place_);
}

bool BlockCheckpoints::advance(std::int64_t replica_steps) {
    status_.replica_steps.fetch_add(replica_steps, std::memory_order_relaxed);
    if (status_.pause.load(std::memory_order_relaxed) && (paused_ || !writes())) return false;
    return !status_.abandon.load(std::memory_order_relaxed);
}

bool BlockCheckpoints::due() {
    paused_ = status_.pause.load(std::memory_order_relaxed);
    return paused_ || std::chrono::steady_clock::now() - last_ >= checkpoints_->interval;
}

std::int64_t BlockCheckpoints::next_round(std::int64_t steps) {
    if (checkpoints_->round_steps > 0) return checkpoints_->round_steps;
    constexpr double seconds_of_round = 0.5;
    constexpr std::int64_t most_growth = 4;  // a short round tells little of the next
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - asked_).count();
    asked_ = now;
    if (steps == 0) return 1;
    const double best = static_cast<double>(steps) * seconds_of_round / std::max(seconds, 1e-9);
    return std::clamp(static_cast<std::int64_t>(std::min(best, 0x1p40)), std::int64_t{1}, most_growth * steps);
}

void BlockCheckpoints::write_head() {
    bytes_.reserve(static_cast<std::size_t>(wanted_));
    const BlockHead head{format_.number(),
                         item_.count,
                         place_.done,
                         place_.trials,
                         kinds_of(options_.parameters),
                         status_.replica_steps.load(std::memory_order_relaxed) - steps_before_};
    bytes_.append(reinterpret_cast<const char*>(&head), sizeof(head));
    for_results(place_, [&](const void* at, std::size_t count) { bytes_.append(static_cast<const char*>(at), count); });
}

void BlockCheckpoints::append(const void* bytes, std::size_t count) {
    if (bytes_.empty()) write_head();
    bytes_.append(static_cast<const char*>(bytes), count);
    if (static_cast<std::int64_t>(bytes_.size()) < wanted_) return;
    const std::int64_t steps = head_of(bytes_).replica_steps;
    checkpoints_->write({std::exchange(bytes_, {}), steps});
    last_ = std::chrono::steady_clock::now();
}

}  // namespace limrisk
