// What the driver asks of a backend: ranges of trials in, their records out.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aggregation/aggregate.hpp"
#include "backend/cell_plan.hpp"
#include "campaign/kept_parameters.hpp"
#include "limrisk/trial_record.hpp"

namespace limrisk {

/// One piece of work: trials first_trial .. first_trial + count - 1 of a cell, one block or several in a row.
struct WorkItem {
    const CellPlan* plan = nullptr;
    std::int64_t first_trial = 0;
    std::int64_t count = 0;
    int worker = 0;  ///< which of concurrency() workers runs it: a backend of several devices serves each worker with one of them
};

/// Shared by a worker and its observers while its piece of work runs.
struct WorkStatus {
    std::atomic<std::int64_t> replica_steps{0};  ///< done so far, or not needed, for progress; only grows
    std::atomic<std::int64_t> resumed_steps{0};  ///< of them those that a checkpoint held
    std::atomic<bool> abandon{false};            ///< set: the worker gives it up within milliseconds
    std::atomic<bool> pause{false};  ///< set: it writes a checkpoint between two steps and gives up; where it writes none, at once
};

/// Trials in the middle of their training, as a backend reads them: what the rest of the run of a WorkItem depends on.
struct Checkpoint {
    std::string bytes;
    std::int64_t replica_steps = 0;  ///< done, or not needed
};

/// None of more bytes is written: SQLite keeps no row of more than 1e9.
inline constexpr std::int64_t most_checkpoint_bytes = std::int64_t{1} << 29;

/// How a run() goes on from a checkpoint and writes others.
struct Checkpointing {
    const Checkpoint* from = nullptr;                ///< of the same trials, by this version of limrisk; null: from the first step
    std::chrono::milliseconds interval{60'000};      ///< between two
    std::function<void(Checkpoint)> write;           ///< called by the worker; the last one counts
    std::function<void(const std::string&)> refuse;  ///< called if `from` does not fit, with the reason: the trials begin anew
    std::int64_t round_steps = 0;                    ///< between two steps at which one can be written; 0: about half a second of work
};

/// Final bits of one trial, for tests and self tests. Canonical order of docs/numerics.md (fingerprint), as double (exact).
struct FinalState {
    std::vector<double> initial_parameters, parameters, first_state, second_state, third_state;
    std::vector<double> best_parameters;     ///< at the check of best_step
    std::vector<double> average_parameters;  ///< those of the iterate where the cell has no average
};

/// Of many trials: [kinds][count][parameters] in canonical order, as double (exact); empty for a kind that was not asked for.
using TrialParameters = std::array<std::vector<double>, parameter_kinds>;

struct BlockResult {
    std::vector<TrialRecord> records;              ///< [count], in the order of trials
    std::vector<std::vector<CheckRecord>> checks;  ///< [count] if asked for, else empty: see checks_of_trial()
    std::vector<FinalState> states;                ///< [count] if asked for, else empty
    TrialParameters parameters;                    ///< those kinds that were asked for
    std::optional<Aggregate> aggregate;            ///< of the records, in their place; only if asked for
    std::vector<CheckRecord> snapshot_checks;      ///< [count][snapshot_steps]; 0 behind the end of a trial that ended early
    std::vector<double> snapshot_parameters;       ///< [count][snapshot_steps][parameters], canonical order; likewise
};

struct BlockOptions {
    bool checks = false;
    bool states = false;
    KeptParameters parameters = {};
    bool aggregate = false;  ///< the records are wanted as an aggregate only; a backend may give it, or the records all the same
    /// Looks at the trials at these steps, too: strictly ascending, in 0 .. steps of the cell; null: none. Nothing else of the result
    /// depends on them. The CPU backend only.
    const std::vector<std::int64_t>* snapshot_steps = nullptr;
    /// Without checks, states and snapshots; null: none. Nothing of the result depends on it.
    const Checkpointing* checkpoints = nullptr;
};

/// Trials that the CPU backend trains at once, at most: elements of the widest SIMD register.
inline constexpr std::int64_t cpu_group_trials = 16;

class Backend {
public:
    virtual ~Backend() = default;
    /// One line for people: "cpu: AVX-512, 2 threads".
    virtual std::string description() const = 0;
    /// How many pieces of work it can run at once; the driver calls run() from that many threads, the workers.
    virtual int concurrency() const = 0;
    /// What a worker runs on, for messages: "CUDA device 2 (NVIDIA H200)".
    virtual std::string worker_name(int worker) const { return "worker " + std::to_string(worker); }
    /// How many trials of a cell one run() should get for its device to be full; the driver rounds up to whole blocks, and gives fewer
    /// where a cell has gaps or the work ends. Thread-safe.
    virtual std::int64_t batch_trials(const CellPlan& plan) const { return plan.block_trials(); }
    /// How many trials of a cell it runs at the same time, on all devices together; fewer leave it partly idle. 0 if their number does not
    /// matter.
    virtual std::int64_t trials_to_fill(const CellPlan& /*plan*/) { return 0; }
    /// Whether a worker reaches its speed only with batch_trials() trials and while the others work too, as on GPUs: for measurements.
    virtual bool needs_full_batches() const { return false; }
    /// Lane instructions that it can issue per second, the measure of throughput; 0 if it does not know.
    virtual double issue_limit() const { return 0; }
    /// How it will run a cell, a line per fact, for the dry run: where what of a replica is kept, how many replicas at once.
    virtual std::vector<std::string> plan_lines(const CellPlan& /*plan*/) const { return {}; }
    /// Whether run() writes checkpoints and goes on from them.
    virtual bool writes_checkpoints() const { return false; }
    /// ProgressFormat::number() of those that it goes on from; 0: it does not say.
    virtual std::int64_t checkpoint_format() const { return 0; }
    /// Bytes of the largest checkpoint that run() would write of so many trials, were there no limit to it; 0: it writes none, or does not
    /// know.
    virtual std::int64_t checkpoint_bytes(const CellPlan& /*plan*/, std::int64_t /*trials*/, const KeptParameters& /*keep*/) const {
        return 0;
    }
    /// Called before a run with all its cells. Throws DeviceError for what can be told already: a cell that cannot run here, a compiler
    /// that fails.
    virtual void prepare(const std::vector<CellConfig>& /*cells*/) {}
    /// The same where a run follows, with the cells in the order in which they will run: returns when the first can begin. What fails
    /// later is thrown by what needs it.
    virtual void prepare_to_run(const std::vector<CellConfig>& cells) { prepare(cells); }
    /// Runs the trials; nullopt if they were abandoned. Thread-safe. DeviceError says that the worker's device is lost: its work goes to
    /// the other workers, and run() is not called for it again.
    virtual std::optional<BlockResult> run(const WorkItem& item, WorkStatus& status, const BlockOptions& options = {}) = 0;
};

enum class Isa { Portable, Avx2, Avx512 };
const char* isa_name(Isa isa);
/// Instruction sets that this processor and this build offer, best last.
std::vector<Isa> available_isas();

/// The CPU backend. `isa`: forced, else $LIMRISK_ISA (portable|avx2|avx512), else the best. `threads` 0: all cores.
/// Throws Error(Usage) for an unknown name, DeviceError for an instruction set that the processor lacks.
std::unique_ptr<Backend> make_cpu_backend(int threads = 0, std::optional<Isa> isa = std::nullopt);

}  // namespace limrisk
