// What the driver asks of a backend: blocks of trials in, their records out.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/cell_plan.hpp"
#include "limrisk/trial_record.hpp"

namespace limrisk {

/// One piece of work: trials first_trial .. first_trial + count - 1 of a cell.
struct WorkItem {
    const CellPlan* plan = nullptr;
    std::int64_t first_trial = 0;
    std::int64_t count = 0;
    int worker = 0;  ///< which of concurrency() workers runs it: a backend of several devices serves each worker with one of them
};

/// Shared by a worker and its observers while a block runs.
struct WorkStatus {
    std::atomic<std::int64_t> replica_steps{0};  ///< done so far, for progress; only grows
    std::atomic<bool> abandon{false};            ///< set: the worker gives the block up within milliseconds
};

/// Final bits of one trial, for tests and self tests. Canonical order of docs/numerics.md (fingerprint), as double (exact).
struct FinalState {
    std::vector<double> initial_parameters, parameters, first_state, second_state;
};

struct BlockResult {
    std::vector<TrialRecord> records;              ///< [count], in the order of trials
    std::vector<std::vector<CheckRecord>> checks;  ///< [count][checks + 1] if asked for, else empty
    std::vector<FinalState> states;                ///< [count] if asked for, else empty
};

struct BlockOptions {
    bool checks = false;
    bool states = false;
};

class Backend {
public:
    virtual ~Backend() = default;
    /// One line for people: "cpu: AVX-512, 2 threads".
    virtual std::string description() const = 0;
    /// How many blocks it can run at once; the driver calls run() from that many threads.
    virtual int concurrency() const = 0;
    /// How many trials of a cell one run() should get at least; whole blocks.
    virtual std::int64_t batch_trials(const CellPlan& plan) const { return plan.block_trials(); }
    /// Runs a block; nullopt if it was abandoned. Thread-safe.
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
