// Compiles the programs of a campaign side by side on host threads, each different one once, with the cache in front. Those that share
// their headers are compiled several at a time: for small kernels the headers take as long as their own code.
#pragma once
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "backend/cuda/compile_job.hpp"
#include "backend/cuda/cubin_cache.hpp"

namespace limrisk::cuda {

struct CompileManyOptions {
    CubinCache* cache = nullptr;                                        ///< none: everything is compiled
    int threads = 0;                                                    ///< at most; 0: one per processor
    const std::atomic<int>* stop_requests = nullptr;                    ///< from 1 on no further program is begun
    std::function<void(std::size_t done, std::size_t total)> progress;  ///< after each different program; one call at a time
    /// Each different program, as soon as it is there, and the first job that asks for it; one call at a time.
    std::function<void(const CompileJob&, const std::shared_ptr<const CompiledProgram>&)> ready;
};

struct CompiledSet {
    /// One per job, in their order; jobs with the same key share one. Null for those that a request to stop left out.
    std::vector<std::shared_ptr<const CompiledProgram>> programs;
    std::size_t compiled = 0, from_cache = 0;  ///< different programs
};

/// @throws the error of the first program (in the order of their first jobs) that failed, which names its jobs; the other threads finish
/// the program they are at and begin no further one. What was compiled until then is in the cache. An exception of another kind becomes a
/// Defect.
CompiledSet compile_many(const Compiler& compiler, std::span<const CompileJob> jobs, const CompileManyOptions& options = {});

}  // namespace limrisk::cuda
