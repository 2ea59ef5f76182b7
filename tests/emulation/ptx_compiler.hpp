// NVRTC and the emulated device together: programs that do what the PTX says that NVRTC makes of a source.
#pragma once
#include <string>

#include "backend/cuda/nvrtc.hpp"
#include "emulation.hpp"

namespace limrisk::test {

/// A job for HostCompiler that does what the PTX says. @throws as translate_ptx
cuda::CompileJob translated_job(const std::string& name, const std::string& ptx);

/// A device compiler for EmulatedRuntime by way of PTX: kernels as NVRTC compiles them, not as the host's compiler reads their source.
class PtxCompiler final : public cuda::Compiler {
public:
    explicit PtxCompiler(const cuda::Nvrtc& nvrtc);  ///< kept by reference

    std::string identity() const override { return identity_; }
    std::vector<std::string> fixed_options() const override;
    /// @throws as Nvrtc::ptx, translate_ptx and HostCompiler::compile
    cuda::CompiledProgram compile(const cuda::CompileJob& job) const override;

private:
    const cuda::Nvrtc& nvrtc_;
    HostCompiler host_;
    std::string identity_;
};

}  // namespace limrisk::test
