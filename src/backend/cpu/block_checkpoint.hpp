// A block in the middle of its run as bytes: the results of its chunks that are done, and the checkpoint of the chunk in progress.
#pragma once
#include <chrono>
#include <string>

#include "backend/backend.hpp"
#include "backend/cpu/kernel_table.hpp"

namespace limrisk::cpu {

/// Where a block is: `done` trials are finished, and the chunk behind them has `trials`.
struct BlockPlace {
    std::int64_t done = 0, trials = 0;
};

/// Watches over one run of a block: says when a checkpoint is due and puts it together.
class BlockCheckpoints {
public:
    BlockCheckpoints(const KernelTable& kernels, const WorkItem& item, WorkStatus& status, const BlockOptions& options,
                     BlockResult& result);

    /// Fills the result with what the checkpoint to go on from holds, and says where it is; where there is none, or it does not fit,
    /// nothing, and the beginning.
    ///   chunk  of the chunk in progress; null at the beginning. It lives as long as the checkpoint.
    BlockPlace resume(const char*& chunk);

    /// Lets a chunk write checkpoints.
    void watch(ChunkTask& task, std::int64_t done);

    /// Replica-steps that were done; false: give up. For ChunkTask::advance.
    bool advance(std::int64_t replica_steps);

private:
    bool due();
    /// Steps of the next round, for about half a second. `steps`: of the last one.
    std::int64_t next_round(std::int64_t steps);
    void append(const void* bytes, std::size_t count);
    void begin();
    std::int64_t head_bytes(const BlockPlace& place) const;
    template <class Visit>
    void for_results(const BlockPlace& place, Visit visit) const;
    std::string problem_of(const Checkpoint& from) const;

    const KernelTable& kernels_;
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

}  // namespace limrisk::cpu
