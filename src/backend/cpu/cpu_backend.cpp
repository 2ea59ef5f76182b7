// The CPU backend: a block is cut into groups of replicas, each run from its first step to its last by the kernels of one instruction set.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "backend/backend.hpp"
#include "backend/cpu/run_block.hpp"
#include "backend/processors.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

const cpu::KernelTable& kernels_of(Isa isa) {
#if defined(LIMRISK_X86)
    if (isa == Isa::Avx512) return cpu::avx512_kernels;
    if (isa == Isa::Avx2) return cpu::avx2_kernels;
#endif
    return cpu::portable_kernels;
}

std::string names_of(const std::vector<Isa>& isas) {
    std::string names;
    for (const Isa isa : isas) names += (names.empty() ? "" : ", ") + std::string(isa_name(isa));
    return names;
}

class CpuBackend : public Backend {
public:
    CpuBackend(int threads, Isa isa) : threads_(threads), isa_(isa) {}

    std::string description() const override {
        return fmt::format("cpu: {}, {} thread{}", isa_name(isa_), threads_, threads_ == 1 ? "" : "s");
    }
    int concurrency() const override { return threads_; }
    bool writes_checkpoints() const override { return true; }
    std::int64_t checkpoint_format() const override { return cpu::chunk_format; }
    std::int64_t checkpoint_bytes(const CellPlan& plan, std::int64_t trials, const KeptParameters& keep) const override {
        return cpu::checkpoint_bytes(kernels_of(isa_), plan.cell(), trials, keep);
    }

    std::optional<BlockResult> run(const WorkItem& item, WorkStatus& status, const BlockOptions& options) override {
        return cpu::run_block(kernels_of(isa_), item, status, options);
    }

private:
    int threads_;
    Isa isa_;
};

Isa isa_from_environment() {
    const std::vector<Isa> available = available_isas();
    const char* name = std::getenv("LIMRISK_ISA");
    if (!name || !*name) return available.back();
    for (const Isa isa : {Isa::Portable, Isa::Avx2, Isa::Avx512}) {
        if (std::string(name) != isa_name(isa)) continue;
        if (std::find(available.begin(), available.end(), isa) != available.end()) return isa;
        throw DeviceError(
            fmt::format("LIMRISK_ISA={}: this processor or build does not offer it; available: {}", name, names_of(available)));
    }
    throw Error(ExitCode::Usage, fmt::format("LIMRISK_ISA={}: no such instruction set; allowed: portable, avx2, avx512", name));
}

}  // namespace

const char* isa_name(Isa isa) {
    switch (isa) {
        case Isa::Avx512:
            return "avx512";
        case Isa::Avx2:
            return "avx2";
        case Isa::Portable:
            break;
    }
    return "portable";
}

std::vector<Isa> available_isas() {
    std::vector<Isa> isas{Isa::Portable};
#if defined(LIMRISK_X86)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) isas.push_back(Isa::Avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        isas.push_back(Isa::Avx512);
#endif
    return isas;
}

std::unique_ptr<Backend> make_cpu_backend(int threads, std::optional<Isa> isa) {
    if (threads < 0) throw Error(ExitCode::Usage, fmt::format("{} threads: at least 1, or 0 for all processors that may be used", threads));
    if (threads == 0) threads = usable_processors();
    const Isa chosen = isa ? *isa : isa_from_environment();
    const std::vector<Isa> available = available_isas();
    if (std::find(available.begin(), available.end(), chosen) == available.end())
        throw DeviceError(fmt::format("instruction set {}: not offered by this processor or build; available: {}", isa_name(chosen),
                                      names_of(available)));
    return std::make_unique<CpuBackend>(threads, chosen);
}

}  // namespace limrisk
