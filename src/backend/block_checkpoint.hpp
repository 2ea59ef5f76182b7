// Trials of a WorkItem in the middle of its run as bytes: the results of those that are done, and what the backend writes of those in
// progress.
#pragma once
#include <chrono>
#include <string>

#include "backend/backend.hpp"

namespace limrisk {

/// Trials that a backend trains side by side, as the bytes that it writes of them.
class ProgressFormat {
public:
    virtual ~ProgressFormat() = default;
    /// Of this backend; another number when what the bytes hold changes its meaning but not its size.
    virtual std::int64_t number() const = 0;
    virtual std::int64_t bytes(std::int64_t trials) const = 0;
    /// Why these bytes cannot be such trials in progress; empty if they can. Whoever kept them knows that they are as they were written.
    virtual std::string problem_of(std::int64_t trials, const char* progress, std::int64_t count) const = 0;
};

/// What a checkpoint that does not fit is, in words.
inline constexpr const char* foreign_checkpoint = "another limrisk wrote it, or another backend";

/// Where a run is: `done` trials are finished, and the `trials` behind them are in progress.
struct BlockPlace {
    std::int64_t done = 0, trials = 0;
};

/// Bytes of a checkpoint there, of a run whose options ask for these parameters.
std::int64_t checkpoint_bytes(const kernels::Cell& cell, const KeptParameters& keep, const ProgressFormat& format, const BlockPlace& place);

/// Watches over one run of a WorkItem: says when a checkpoint is due and puts it together.
class BlockCheckpoints {
public:
    /// result  of the run; take_results() and append() find the results of the trials that are done at its beginning
    BlockCheckpoints(const ProgressFormat& format, const WorkItem& item, WorkStatus& status, const BlockOptions& options,
                     BlockResult& result);

    /// Where the checkpoint to go on from is; where there is none, or it does not fit, the beginning.
    ///   progress  of the trials in progress; null at the beginning. It lives as long as the checkpoint.
    BlockPlace resume(const char*& progress);
    /// Fills the result, which has room for it, with what that checkpoint holds.
    void take_results(const BlockPlace& place);

    /// From here on `trials` behind the `done` first ones are in progress.
    void begin(const BlockPlace& place);
    /// Whether checkpoints can be written of them.
    bool writes() const { return checkpoints_ && wanted_ <= most_checkpoint_bytes; }
    /// Whether one is to be written now.
    bool due();
    /// Gets what the format says piece by piece; at its end the checkpoint is written.
    void append(const void* bytes, std::size_t count);

    /// Replica-steps that were done; false: give up.
    bool advance(std::int64_t replica_steps);
    /// Steps until due() is to be asked again, for about half a second. `steps`: since it was asked before.
    std::int64_t next_round(std::int64_t steps);
    /// The same where tests say so; else 0.
    std::int64_t given_round() const { return checkpoints_ ? checkpoints_->round_steps : 0; }

private:
    void write_head();
    template <class Visit>
    void for_results(const BlockPlace& place, Visit visit) const;
    std::string problem_of(const Checkpoint& from) const;

    const ProgressFormat& format_;
    const WorkItem& item_;
    WorkStatus& status_;
    const BlockOptions& options_;
    BlockResult& result_;
    const Checkpointing* const checkpoints_;  ///< null: none are written
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point asked_ = last_;  ///< for the steps of a round
    BlockPlace place_;
    std::int64_t steps_before_;  ///< of status_.replica_steps
    std::string bytes_;          ///< of the checkpoint that is being written
    std::int64_t wanted_ = 0;    ///< their number
    bool paused_ = false;
};

}  // namespace limrisk
