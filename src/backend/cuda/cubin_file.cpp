// Writes and checks the bytes of one cached program.
#include "backend/cuda/cubin_file.hpp"

#include <xxhash.h>

#include <cstring>

namespace limrisk::cuda {
namespace {

constexpr std::string_view magic = "limrisk cubin 1\n";
constexpr std::size_t key_at = 16, length_at = 32, hash_at = 40;
static_assert(magic.size() == key_at && hash_at + sizeof(XXH128_canonical_t) == cubin_header_bytes);

std::string_view view(const CubinKey& key) { return {reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()}; }

void put(std::string& body, std::uint64_t number) { body.append(reinterpret_cast<const char*>(&number), sizeof number); }

void put(std::string& body, std::string_view text) {
    put(body, std::uint64_t{text.size()});
    body += text;
}

std::optional<std::uint64_t> take_number(std::string_view& body) {
    std::uint64_t number;
    if (body.size() < sizeof number) return std::nullopt;
    std::memcpy(&number, body.data(), sizeof number);
    body.remove_prefix(sizeof number);
    return number;
}

std::optional<std::string> take_text(std::string_view& body) {
    const auto length = take_number(body);
    if (!length || *length > body.size()) return std::nullopt;
    std::string text(body.substr(0, *length));
    body.remove_prefix(*length);
    return text;
}

/// XXH3-128 of magic, key, length and body. The first three have a fixed size, so the hash of the body may be folded into their own.
std::string hash_of(std::string_view head, std::string_view body) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(body.data(), body.size()));
    std::string all(head);
    all.append(reinterpret_cast<const char*>(canonical.digest), sizeof canonical.digest);
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(all.data(), all.size()));
    return {reinterpret_cast<const char*>(canonical.digest), sizeof canonical.digest};
}

std::optional<CompiledProgram> decode_body(std::string_view body) {
    CompiledProgram program;
    auto cubin = take_text(body), log = take_text(body);
    const auto names = take_number(body);
    if (!cubin || !log || !names) return std::nullopt;
    program.cubin = std::move(*cubin);
    program.log = std::move(*log);
    for (std::uint64_t i = 0; i < *names; ++i) {
        auto expression = take_text(body), lowered = take_text(body);
        if (!expression || !lowered) return std::nullopt;
        program.lowered_names.emplace(std::move(*expression), std::move(*lowered));
    }
    if (!body.empty()) return std::nullopt;
    return program;
}

}  // namespace

std::string encode_cubin_file(const CubinKey& key, const CompiledProgram& program) {
    std::string body;
    put(body, program.cubin);
    put(body, program.log);
    put(body, std::uint64_t{program.lowered_names.size()});
    for (const auto& [expression, lowered] : program.lowered_names) {
        put(body, expression);
        put(body, lowered);
    }
    std::string file(magic);
    file += view(key);
    put(file, std::uint64_t{body.size()});
    file += hash_of(file, body);
    return file + body;
}

std::optional<CompiledProgram> decode_cubin_file(const CubinKey& key, std::string_view bytes) {
    if (bytes.size() < cubin_header_bytes) return std::nullopt;
    const std::string_view head = bytes.substr(0, hash_at), body = bytes.substr(cubin_header_bytes);
    if (head.substr(0, key_at) != magic || head.substr(key_at, length_at - key_at) != view(key)) return std::nullopt;
    std::uint64_t length;
    std::memcpy(&length, head.data() + length_at, sizeof length);
    if (length != body.size()) return std::nullopt;
    if (bytes.substr(hash_at, cubin_header_bytes - hash_at) != hash_of(head, body)) return std::nullopt;
    return decode_body(body);
}

}  // namespace limrisk::cuda
