// Colours of the figures: those of Okabe and Ito (2008), which people with any colour vision tell apart. No meaning rests on colour alone:
// what they mark differs in its line or marker too. The page turns them into variables: page_style.cpp.
#pragma once

namespace limrisk::palette {

inline constexpr const char* ink = "#000000";
inline constexpr const char* frame = "#6b6b6b";
inline constexpr const char* grid = "#dcdcdc";
inline constexpr const char* blue = "#0072b2";        ///< certified; at initialization
inline constexpr const char* vermillion = "#d55e00";  ///< measured; at the end
inline constexpr const char* green = "#009e73";       ///< levels
inline constexpr const char* sky = "#56b4e9";         ///< areas
inline constexpr const char* orange = "#e69f00";      ///< fits

}  // namespace limrisk::palette
